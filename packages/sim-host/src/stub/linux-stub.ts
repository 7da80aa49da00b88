import { type DomId, domId } from "@bulkhead/base";
import type { SimMachine, SimProgram } from "@bulkhead/hypervisor/sim";
import type { XenstoreClient } from "@bulkhead/xenstore";
import { BlockFront } from "../devices/block-front.ts";
import { openBootConsole } from "../devices/boot-console.ts";
import type { GuestConsole } from "../devices/guest-console.ts";
import { connectNics } from "../devices/network-front.ts";
import { connectXenbusConsole } from "../devices/xenbus-console.ts";
import type { DomainConnections } from "../domain-connections.ts";
import type { EmulatedMachines } from "./emulated-machines.ts";
import { SimQemu } from "./sim-qemu.ts";
import type { StubScript } from "./stub-script.ts";

/** stubdom.txt: 0 log, 1 save, 2 restore, then the serial ports. */
const FIRST_SERIAL_CONSOLE = 3;

export interface StubParts {
	connections: DomainConnections;
	machines: EmulatedMachines;
	script: () => StubScript;
	/** A QEMU runs for that guest; undefined: no longer. */
	onQemu: (guest: DomId, qemu: SimQemu | undefined) => void;
}

/**
 * A Linux stub domain (docs/misc/stubdom.txt): reads whose device model it is and QEMU's arguments, connects consoles and
 * disks, starts QEMU, and says how it goes.
 */
export function linuxStub(parts: StubParts): SimProgram {
	return {
		name: "linux stub domain",
		async run(machine: SimMachine) {
			const script = parts.script();
			const log = openBootConsole(machine, () => {});
			log.write("stub (simulated): up\r\n");
			const store = parts.connections.open(machine);
			await machine.sleep(script.bootMs);
			if (script.end) return machine.shutdown(script.end);
			const guest = domId(await store.readText(`/local/domain/${machine.domid}/target`));
			const model = `/local/domain/${machine.domid}/device-model/${guest}`;
			if (machine.target !== guest) return report(store, model, log, "This domain may not serve that guest");
			const args = await readArguments(store, guest);
			if (script.failure !== undefined) return report(store, model, log, script.failure);
			const qemu: SimQemu = new SimQemu({
				machine,
				store,
				guest,
				args,
				path: model,
				machines: parts.machines,
				silentQmp: script.silentQmp ?? false,
				refusedMedia: script.refusedMedia ?? 0,
				lies: script.lies,
				screen: script.screen,
				onDeath: async (reason) => {
					parts.onQemu(guest, undefined);
					await report(store, model, log, reason);
				},
			});
			const serials = await connectConsoles(machine, store, (index, bytes) => qemu.serialInput(index, bytes));
			const disks = new BlockFront({ machine, store, onDisk: (device) => qemu.addMedium(Number(device)) });
			await Promise.all([disks.start(), connectNics(machine, store)]);
			log.write(`stub (simulated): starting the device model of domain ${guest} with ${args.length} arguments\r\n`);
			parts.onQemu(guest, qemu);
			machine.signal.addEventListener("abort", () => parts.onQemu(guest, undefined), { once: true });
			await qemu.start(serials);
			log.write("stub (simulated): the device model answers\r\n");
		},
	};
}

/** In this order, so that whoever sees the state finds the reason. */
async function report(store: XenstoreClient, model: string, log: GuestConsole, reason: string): Promise<void> {
	log.write(`stub (simulated): error: ${reason}\r\n`);
	await Promise.all([store.write(`${model}/error`, reason), store.write(`${model}/state`, "error")]);
}

async function readArguments(store: XenstoreClient, guest: DomId): Promise<string[]> {
	const vm = await store.readText(`/local/domain/${guest}/vm`);
	const argv = `${vm}/image/dm-argv`;
	const keys = (await store.list(argv)).toSorted();
	return Promise.all(keys.map((key) => store.readText(`${argv}/${key}`)));
}

/** The consoles of the guest's serial ports, in their order. */
async function connectConsoles(
	machine: SimMachine,
	store: XenstoreClient,
	onInput: (serial: number, bytes: Buffer) => void,
): Promise<GuestConsole[]> {
	const names = (await store.findList(`/local/domain/${machine.domid}/device/console`)) ?? [];
	const indices = names.map(Number).toSorted((a, b) => a - b);
	const consoles = await Promise.all(
		indices.map((index) =>
			connectXenbusConsole(machine, store, index, (bytes) => {
				if (index >= FIRST_SERIAL_CONSOLE) onInput(index - FIRST_SERIAL_CONSOLE, bytes);
			}),
		),
	);
	return consoles.filter((_, at) => (indices[at] ?? 0) >= FIRST_SERIAL_CONSOLE);
}
