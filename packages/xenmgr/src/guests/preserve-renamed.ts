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
	const { store, events, hypervisor } = services;
	const { record } = guest;
	const { domid } = record.runtime.guest;
	const domain = domid === undefined ? undefined : await hypervisor.domains.find(domid);
	// A daemon that was killed in the middle may have given it its new uuid already.
	if (domain?.uuid === guest.uuid) {
		await execute(planStrip(record.runtime), destroyActions, { context: guest.context(services) });
		const preserved = preservedOf(guest, reason);
		await store.save(preserved.record);
		await renameDomain(services, record.runtime.guest, preserved.record.config);
		guests.adopt(preserved);
		events.emit("guest-state", { guest: preserved.identity, state: "preserved", reason });
	}
	record.runtime = Guest.freshRuntime(record.config);
}

function preservedOf({ record, name }: Guest, reason: string): Guest {
	const now = new Date();
	const uuid = randomUuid();
	return new Guest({
		...record,
		uuid,
		config: { ...record.config, uuid, name: `${name}-${stampOf(now)}`, disks: [], nics: [] },
		phase: "preserved",
		runtime: { guest: { ...record.runtime.guest, uuid } },
		lastEnd: { reason, at: now.toISOString() },
	});
}

/** xl's has no seconds, and a guest may crash twice in a minute: "20261126T161507Z". */
export const stampOf = (at: Date): string => at.toISOString().replace(/[-:]|\.\d+/g, "");
