import { randomUuid } from "@bulkhead/base";
import { destroyActions, execute, planStrip, renameDomain } from "@bulkhead/toolstack";
import type { Services } from "../services.ts";
import { Guest } from "./guest.ts";
import type { Guests } from "./guests.ts";

/**
 * Turns the domain of a guest that has ended into a guest of its own, preserved under another name and uuid, without
 * devices. The guest itself has no domain then, and is to be started again. Safe to repeat. The caller holds its
 * `operations`.
 */
export async function preserveRenamed(guest: Guest, services: Services, guests: Guests, reason: string): Promise<void> {
	const { store, events } = services;
	const { record } = guest;
	const { domid } = record.runtime.guest;
	if (
		domid === undefined ||
		guests.all().some((other) => other !== guest && other.record.runtime.guest.domid === domid)
	)
		return;
	await execute(planStrip(record.runtime), destroyActions, { context: guest.context(services) });
	const now = new Date();
	const uuid = randomUuid();
	const name = `${guest.name}-${stampOf(now)}`;
	await renameDomain(services, record.runtime.guest, { uuid, name });
	const preserved = new Guest({
		...record,
		uuid,
		config: { ...record.config, uuid, name, disks: [], nics: [] },
		phase: "preserved",
		runtime: { guest: { ...record.runtime.guest, uuid } },
		lastEnd: { reason, at: now.toISOString() },
	});
	await store.save(preserved.record);
	guests.adopt(preserved);
	record.runtime = Guest.freshRuntime(record.config);
	events.emit("guest-state", { guest: preserved.identity, state: "preserved", reason });
}

/** xl's has no seconds, and a guest may crash twice in a minute: "20261126T161507Z". */
export const stampOf = (at: Date): string => at.toISOString().replace(/[-:]|\.\d+/g, "");
