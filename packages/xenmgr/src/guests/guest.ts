import { join } from "node:path";
import { Mutex, randomUuid, type Uuid } from "@bulkhead/base";
import type { HeldListener } from "@bulkhead/hypervisor";
import { type ChannelServer, type HeldDisk, needsPvQemu, type ToolstackContext } from "@bulkhead/toolstack";
import type { GuestConfig } from "@bulkhead/xlcfg";
import type { Services } from "../services.ts";
import type { GuestRecord } from "./guest-store.ts";

const QMP_STATUS_AFTER: Readonly<Record<string, string>> = { STOP: "paused", RESUME: "running", SHUTDOWN: "shutdown" };

/** One guest that this daemon is responsible for: its record and what only lives in memory. */
export class Guest {
	record: GuestRecord;
	/** Serialises what is done to the guest. */
	readonly operations: Mutex = new Mutex();
	/** Nothing of it is left, the record neither. */
	isGone = false;
	/** QEMU's run state as last heard. */
	qmpStatus: string | undefined;
	/** When it was restarted lately (performance.now()), to notice a loop. */
	restarts: number[] = [];
	/** What serves its channels. */
	channels: ChannelServer | undefined;
	readonly #listeners = new Map<string, HeldListener>();
	readonly #openDisks = new Map<string, HeldDisk>();
	#watching: AbortController | undefined;

	constructor(record: GuestRecord) {
		this.record = record;
	}

	static planned(config: GuestConfig): Guest {
		const now = new Date().toISOString();
		return new Guest({
			version: 1,
			uuid: config.uuid,
			config,
			phase: "creating",
			runtime: Guest.freshRuntime(config),
			createdAt: now,
		});
	}

	/**
	 * The stub domain gets a new uuid each time, so that an old one can never be mistaken for it. The screen keeps its port:
	 * viewers come back to it.
	 */
	static freshRuntime(config: GuestConfig, before?: GuestRecord["runtime"]): GuestRecord["runtime"] {
		const guest = { uuid: config.uuid };
		if (config.type !== "hvm") return needsPvQemu(config) ? { guest, qemu: {} } : { guest };
		if (config.deviceModel?.place === "dom0") return { guest, qemu: {} };
		const { address, port } = before?.screen ?? {};
		return { guest, stub: { uuid: randomUuid() }, ...(port !== undefined && { screen: { address, port } }) };
	}

	get uuid(): Uuid {
		return this.record.uuid;
	}

	get name(): string {
		return this.record.config.name;
	}

	/** Who it is, for events. */
	get identity(): { uuid: Uuid; name: string; domid?: number } {
		return { uuid: this.uuid, name: this.name, domid: this.record.runtime.guest.domid };
	}

	context({ xenstore, hypervisor, relay, store, directories, screenPolicy }: Services): ToolstackContext {
		return {
			config: this.record.config,
			runtime: this.record.runtime,
			xenstore,
			hypervisor,
			places: {
				bootFolder: join(directories.state, `${this.uuid}.boot`),
				qemuFolder: join(directories.run, this.uuid),
				imageFolder: join(directories.images, this.uuid),
				xenRunFolder: directories.xenRun,
				qemuLog: join(directories.log, `qemu-dm-${this.name}.log`),
			},
			rings: relay,
			screenPolicy,
			openDisks: this.#openDisks,
			listeners: this.#listeners,
			saveRuntime: () => store.save(this.record),
		};
	}

	/** QEMU tells its run state by events (qapi/run-state.json). */
	noteQmpEvent(event: string): void {
		const status = QMP_STATUS_AFTER[event];
		if (status !== undefined) this.qmpStatus = status;
	}

	/** A signal that lives until the guest is watched anew or no longer. */
	startWatching(): AbortSignal {
		this.stopWatching();
		this.#watching = new AbortController();
		return this.#watching.signal;
	}

	stopWatching(): void {
		this.#watching?.abort();
		this.#watching = undefined;
	}
}
