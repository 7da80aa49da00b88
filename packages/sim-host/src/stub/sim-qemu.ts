import type { DomId } from "@bulkhead/base";
import type { SimMachine } from "@bulkhead/hypervisor/sim";
import type { FakeQemu, FakeQemuOptions } from "@bulkhead/qmp/testing";
import type { XenstoreClient } from "@bulkhead/xenstore";
import type { GuestConsole } from "../devices/guest-console.ts";
import { CdDrives } from "./cd-drives.ts";
import type { EmulatedMachine, EmulatedMachines } from "./emulated-machines.ts";
import { PluggedDevices } from "./plugged-devices.ts";
import { QmpChannel } from "./qmp-channel.ts";
import { ScreenChannels } from "./screen-channels.ts";
import type { StubScript } from "./stub-script.ts";

export interface SimQemuParts {
	machine: SimMachine;
	store: XenstoreClient;
	guest: DomId;
	/** Without argv[0]. */
	args: readonly string[];
	/** The stub's directory for this guest. */
	path: string;
	machines: EmulatedMachines;
	/** No answer ever comes on the QMP channel. */
	silentQmp: boolean;
	/** How many media that come at run time are refused. */
	refusedMedia: number;
	/** Answers in place of its own. */
	lies: FakeQemuOptions["handlers"];
	/** How its screen is offered. */
	screen: StubScript["screen"];
	/** QEMU has died: the stub's init says so. */
	onDeath: (reason: string) => Promise<void>;
}

/** QEMU in a stub domain, as far as the outside sees it: the guest's serial ports, its power button, QMP, its screen. */
export class SimQemu implements EmulatedMachine {
	readonly args: readonly string[];
	readonly #parts: SimQemuParts;
	readonly #qmp: QmpChannel;
	readonly #screen: ScreenChannels | undefined;
	readonly #drives: CdDrives;
	#flushes = 0;
	#serials: readonly GuestConsole[] = [];
	#isDead = false;

	constructor(parts: SimQemuParts) {
		this.#parts = parts;
		this.args = parts.args;
		this.#drives = new CdDrives(parts.args, parts.refusedMedia);
		const { machine, store, path, args, screen } = parts;
		if (screen !== "none")
			this.#screen = new ScreenChannels({
				...{ machine, store, path, args },
				...(typeof screen === "function" ? { lies: screen } : screen),
			});
		this.#qmp = new QmpChannel({
			machine: parts.machine,
			store: parts.store,
			path: `${parts.path}/qmp-vchan`,
			qemu: {
				greets: !parts.silentQmp,
				handlers: {
					...this.#drives.handlers,
					...new PluggedDevices().handlers,
					stop: (_, qemu) => this.#stop(qemu),
					system_powerdown: (_, qemu) => this.#pressPower(qemu),
					quit: () => setImmediate(() => void this.die("The device model exited with status 0")),
					...parts.lies,
				},
			},
		});
	}

	/** Hard disks and CDs among the arguments. */
	get disks(): number {
		return this.args.filter((arg) => arg === "-drive").length;
	}

	/** What is in a CD drive, as QEMU names it; undefined: nothing, or there is no such drive. */
	mediumOf(devnum: number): string | undefined {
		return this.#drives.mediumOf(devnum);
	}

	/** The stub's init has opened a new disk and gave its descriptor. */
	addMedium(devnum: number): void {
		this.#drives.addDescriptor(devnum);
	}

	/** Keys that viewers of its screen have pressed. */
	get keys(): readonly number[] {
		return this.#screen?.keys ?? [];
	}

	/** How often it has been stopped, which writes out what it holds. */
	get flushes(): number {
		return this.#flushes;
	}

	/** Registers with the guest, then says `running`, as QEMU's xen_device_model does (xs_state). */
	async start(serials: readonly GuestConsole[]): Promise<void> {
		const { machine, machines, guest, store, path } = this.#parts;
		this.#serials = serials;
		machines.register(guest, this);
		machine.signal.addEventListener("abort", () => machines.unregister(guest, this), { once: true });
		await store.write(`${path}/state`, "running");
		// First, as who sees QMP looks for it.
		await this.#screen?.open();
		await this.#qmp.open();
	}

	writeSerial(index: number, bytes: string | Uint8Array): void {
		this.#serials[index]?.write(bytes);
	}

	serialInput(index: number, bytes: Uint8Array): void {
		if (!this.#isDead) this.#parts.machines.findGuest(this.#parts.guest)?.serialInput(index, bytes);
	}

	reportShutdown(): void {
		this.#qmp.emit("SHUTDOWN", { guest: true, reason: "guest-shutdown" });
	}

	/** As when it is killed, or gives up: its guest's devices answer no more. */
	async die(reason: string): Promise<void> {
		if (this.#isDead) return;
		this.#isDead = true;
		this.#parts.machines.unregister(this.#parts.guest, this);
		await this.#screen?.close();
		await this.#qmp.close();
		await this.#parts.onDeath(reason);
	}

	#stop(qemu: FakeQemu): void {
		this.#flushes++;
		if (qemu.running) qemu.emit("STOP");
		qemu.running = false;
	}

	#pressPower(qemu: FakeQemu): void {
		qemu.emit("POWERDOWN");
		this.#parts.machines.findGuest(this.#parts.guest)?.powerButton();
	}
}
