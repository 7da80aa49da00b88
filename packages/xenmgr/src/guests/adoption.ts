import { serializeError } from "@bulkhead/base";
import type { DomainInfo } from "@bulkhead/hypervisor";
import type { Services } from "../services.ts";
import { removeGuest } from "./build-guest.ts";
import { Guest } from "./guest.ts";
import type { Guests } from "./guests.ts";
import { serveChannels } from "./serve-channels.ts";
import type { Supervisor } from "./supervisor.ts";

/**
 * What a new daemon does with the records of the one before: guests that run are adopted as they are, a create that
 * was interrupted is undone, a restart that was interrupted is carried out, a destroy is finished.
 */
export async function adoptAll(services: Services, guests: Guests, supervisor: Supervisor): Promise<void> {
	const { records, broken } = await services.store.loadAll();
	for (const { file, error } of broken) services.log.error({ file, error: serializeError(error) }, "Record left alone");
	const domains = await services.hypervisor.domains.list();
	for (const record of records) {
		const guest = new Guest(record);
		guests.adopt(guest);
		if (record.phase === "running" || record.phase === "preserved") adopt(guest, services, supervisor, domains);
		else void settle(guest, services, guests, supervisor);
	}
}

/** The supervisor's first look deals with a guest that has ended meanwhile. */
function adopt(guest: Guest, services: Services, supervisor: Supervisor, domains: readonly DomainInfo[]): void {
	const { runtime, phase } = guest.record;
	const isThere = domains.some(({ uuid }) => uuid === runtime.guest.uuid);
	services.log.info({ guest: guest.uuid, name: guest.name, domid: runtime.guest.domid, isThere }, "Adopted a guest");
	if (phase === "running" && guest.record.deviceModelFailure === undefined) supervisor.watchDeviceModel(guest);
	if (phase === "running") serveChannels(guest, services);
}

async function settle(guest: Guest, services: Services, guests: Guests, supervisor: Supervisor): Promise<void> {
	const { phase, restarting } = guest.record;
	try {
		await guest.operations.run(async () => {
			if (restarting) {
				await removeGuest(guest, services, { purge: false });
				await supervisor.startAgain(guest);
				guest.record.restarting = undefined;
				await services.store.save(guest.record);
				services.events.emit("guest-state", { guest: guest.identity, state: "running", reason: "restart resumed" });
				return;
			}
			const reason = phase === "creating" ? "create interrupted: undone" : "destroy interrupted: finished";
			await guests.remove(guest, reason);
			if (phase === "creating") services.events.emit("guest-undone", { guest: guest.identity, reason });
			services.log.warn({ guest: guest.uuid, name: guest.name, reason }, "Settled what an earlier daemon left");
		});
	} catch (error) {
		services.log.error(
			{ guest: guest.uuid, error: serializeError(error) },
			"Cannot settle what an earlier daemon left",
		);
	}
}
