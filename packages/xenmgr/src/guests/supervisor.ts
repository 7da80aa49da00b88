import { CancelledError, serializeError } from "@bulkhead/base";
import type { DomainInfo } from "@bulkhead/hypervisor";
import { awaitLocalQemuEnd, deviceModelPath, endOf, type LocalQemu, readDeviceModelError } from "@bulkhead/toolstack";
import type { EndAction } from "@bulkhead/xlcfg";
import type { Services } from "../services.ts";
import { buildGuest, removeGuest } from "./build-guest.ts";
import { keepCore } from "./dumps.ts";
import { Guest } from "./guest.ts";
import type { Guests } from "./guests.ts";
import { preserveRenamed } from "./preserve-renamed.ts";
import { stopChannels } from "./serve-channels.ts";

/** A guest that was restarted this often within this time is not restarted again. */
const RESTART_LIMIT = { count: 5, withinMs: 60_000 } as const;

/**
 * Notices how guests and their device models end and does what the guest's config says. Xen tells by
 * `@releaseDomain` that some domain has shut down, died or gone, not which; the stub's init tells of a failing QEMU by
 * its `state` node.
 */
export class Supervisor {
	readonly #services: Services;
	readonly #guests: Guests;

	constructor(services: Services, guests: Guests) {
		this.#services = services;
		this.#guests = guests;
	}

	/** Runs until the signal aborts. */
	async run(signal: AbortSignal): Promise<void> {
		for await (const _ of this.#services.xenstore.watch("@releaseDomain", { signal })) await this.#checkAll();
	}

	/** Follows what the stub domain says of its QEMU, or the process that it is, from now until the guest is taken away. */
	watchDeviceModel(guest: Guest): void {
		const { guest: domain, stub, qemu } = guest.record.runtime;
		if (qemu) {
			this.#watchLocalQemu(guest, qemu);
			return;
		}
		if (stub?.domid === undefined || domain.domid === undefined) return;
		const signal = guest.startWatching();
		void this.#followDeviceModel(guest, deviceModelPath(stub.domid, domain.domid), signal).catch((error) => {
			if (!(error instanceof CancelledError)) this.#logFailure(guest, "Cannot watch the device model", error);
		});
	}

	/** A QEMU in domain 0 may be the child of an earlier daemon. */
	#watchLocalQemu(guest: Guest, qemu: LocalQemu): void {
		const { qemuLog } = guest.context(this.#services).places;
		void awaitLocalQemuEnd(qemu, qemuLog, guest.startWatching())
			.then((reason) => this.#deviceModelFailed(guest, reason))
			.catch((error) => {
				if (!(error instanceof CancelledError)) this.#logFailure(guest, "Cannot watch QEMU", error);
			});
	}

	async #followDeviceModel(guest: Guest, path: string, signal: AbortSignal): Promise<void> {
		for await (const _ of this.#services.xenstore.watch(`${path}/state`, { signal })) {
			if ((await this.#services.xenstore.find(`${path}/state`)) !== "error") continue;
			const { guest: domain, stub } = guest.record.runtime;
			if (stub?.domid === undefined || domain.domid === undefined) return;
			const place = { guest: { domid: domain.domid, uuid: guest.uuid }, stub: stub.domid };
			await this.#deviceModelFailed(guest, await readDeviceModelError(this.#services, place));
			return;
		}
	}

	async #checkAll(): Promise<void> {
		const domains = new Map((await this.#services.hypervisor.domains.list()).map((info) => [info.domid, info]));
		for (const guest of this.#guests.all()) {
			// Each guest's end is handled beside the others': one that is slow to die holds up nobody.
			void this.#check(guest, domains).catch((error) =>
				this.#logFailure(guest, "Cannot handle the guest's end", error),
			);
		}
	}

	async #check(guest: Guest, domains: ReadonlyMap<number, DomainInfo>): Promise<void> {
		const { phase, runtime } = guest.record;
		if (phase !== "running") return;
		const end = endOf(domains.get(runtime.guest.domid ?? -1));
		if (end) return this.#guestEnded(guest, end);
		if (!runtime.stub) return;
		const stubEnd = endOf(domains.get(runtime.stub.domid ?? -1));
		if (stubEnd) await this.#deviceModelFailed(guest, `The stub domain ended (${stubEnd})`);
	}

	async #guestEnded(guest: Guest, reason: string): Promise<void> {
		await guest.operations.run(async () => {
			if (guest.record.phase !== "running" || !(await this.#isStillEnded(guest))) return;
			const action = actionFor(guest, reason);
			this.#services.log.info({ guest: guest.uuid, reason, action }, "Guest ended");
			if (action === "preserve") return this.#preserve(guest, reason);
			if (action === "coredump-destroy" || action === "coredump-restart") await keepCore(guest, this.#services);
			if (action === "rename-restart" && !this.#isLooping(guest)) {
				await preserveRenamed(guest, this.#services, this.#guests, reason);
				return this.#restart(guest, reason);
			}
			const isWanted = action === "restart" || action === "coredump-restart";
			if (isWanted && !this.#isLooping(guest)) return this.#restart(guest, reason);
			await this.#guests.remove(guest, reason);
		});
	}

	async #isStillEnded({ record }: Guest): Promise<boolean> {
		const { domid } = record.runtime.guest;
		return domid === undefined || endOf(await this.#services.hypervisor.domains.find(domid)) !== undefined;
	}

	async #preserve(guest: Guest, reason: string): Promise<void> {
		guest.stopWatching();
		await stopChannels(guest);
		guest.record.phase = "preserved";
		guest.record.lastEnd = { reason, at: new Date().toISOString() };
		await this.#services.store.save(guest.record);
		this.#services.events.emit("guest-state", { guest: guest.identity, state: "preserved", reason });
	}

	#isLooping(guest: Guest): boolean {
		const now = performance.now();
		guest.restarts = guest.restarts.filter((at) => now - at < RESTART_LIMIT.withinMs);
		guest.restarts.push(now);
		return guest.restarts.length > RESTART_LIMIT.count;
	}

	/** Makes the guest's domains anew. @see recover: an interrupted restart is taken up by the next daemon */
	async #restart(guest: Guest, reason: string): Promise<void> {
		const { store, events } = this.#services;
		guest.record.restarting = true;
		guest.record.lastEnd = { reason, at: new Date().toISOString() };
		await removeGuest(guest, this.#services, { purge: false });
		await this.startAgain(guest);
		guest.record.restarting = undefined;
		await store.save(guest.record);
		events.emit("guest-state", { guest: guest.identity, state: "running", reason });
	}

	/** Builds a guest whose domains are gone. A guest that cannot be built again has ended. */
	async startAgain(guest: Guest): Promise<void> {
		guest.record.runtime = Guest.freshRuntime(guest.record.config, guest.record.runtime);
		try {
			await buildGuest(guest, this.#services, { paused: false });
		} catch (error) {
			await this.#guests.remove(guest, `restart failed: ${serializeError(error).message}`);
			throw error;
		}
		this.watchDeviceModel(guest);
	}

	async #deviceModelFailed(guest: Guest, reason: string): Promise<void> {
		await guest.operations.run(async () => {
			const { record } = guest;
			if (record.phase !== "running" || record.deviceModelFailure !== undefined) return;
			// A PV guest without its screen still has its disks, nics and console.
			const action = record.config.type === "hvm" ? record.config.lifecycle.deviceModelFailure : "preserve";
			record.deviceModelFailure = reason;
			guest.stopWatching();
			this.#services.log.warn({ guest: guest.uuid, reason, action }, "Device model failed");
			this.#services.events.emit("device-model-failed", { guest: guest.identity, reason, action });
			if (action === "destroy") return this.#guests.remove(guest, reason);
			await this.#services.store.save(record);
			if (action === "pause" && record.runtime.guest.domid !== undefined)
				await this.#services.hypervisor.domains.pause(record.runtime.guest.domid);
		});
	}

	#logFailure(guest: Guest, message: string, error: unknown): void {
		this.#services.log.error({ guest: guest.uuid, error: serializeError(error) }, message);
	}
}

function actionFor(guest: Guest, reason: string): EndAction {
	const { lifecycle } = guest.record.config;
	if (reason !== "poweroff" && reason !== "reboot" && reason !== "crash" && reason !== "watchdog") return "destroy";
	return lifecycle[reason];
}
