import { CancelledError, serializeError } from "@bulkhead/base";
import {
	awaitQmpVchan,
	connectConsole,
	connectScreen,
	consolesOf,
	hasStubScreen,
	qmpSocketOf,
} from "@bulkhead/toolstack";
import type { Guest } from "../guests/guest.ts";
import type { Services } from "../services.ts";

const REATTACH_TIMEOUT_MS = 60_000;
const GREETING_TIMEOUT_MS = 20_000;

/**
 * Gives a relay that has just come (or come back) the rings of every running guest. Rings that it serves already are
 * left as they are. One guest's failure does not touch the others.
 */
export async function reattachAll(guests: readonly Guest[], services: Services): Promise<void> {
	await Promise.all(guests.map((guest) => guest.operations.run(() => reattachGuest(guest, services))));
}

async function reattachGuest(guest: Guest, services: Services): Promise<void> {
	const { phase, config, runtime } = guest.record;
	if (phase !== "running") return;
	const signal = AbortSignal.timeout(REATTACH_TIMEOUT_MS);
	const attachments = consolesOf(config).map((console) => {
		const domain = runtime[console.role];
		if (!domain) return undefined;
		return connectConsole({
			store: services.xenstore,
			rings: services.relay,
			guest: guest.uuid,
			domain,
			console,
		});
	});
	const results = await Promise.allSettled([
		...attachments,
		reattachQmp(guest, services, { signal, timeoutMs: GREETING_TIMEOUT_MS }),
		reattachScreen(guest, services),
		guest.channels?.relayIsBack(),
	]);
	for (const result of results) {
		if (result.status === "fulfilled" || result.reason instanceof CancelledError) continue;
		services.log.warn({ guest: guest.uuid, error: serializeError(result.reason) }, "Cannot attach a ring again");
	}
}

/** One that the relay serves already, for an earlier daemon, is left with its viewers. */
async function reattachScreen(guest: Guest, services: Services): Promise<void> {
	const { config, runtime, deviceModelFailure } = guest.record;
	const { guest: domain, stub, screen } = runtime;
	if (!hasStubScreen(config) || !screen?.viewers || deviceModelFailure !== undefined) return;
	if (stub?.domid === undefined || domain.domid === undefined) return;
	const { screens } = await services.relay.list(guest.uuid);
	const served = screens.find((each) => each.guest === guest.uuid && each.domid === stub.domid);
	if (served && served.listener?.port === screen.port) return;
	const place = { guest: { domid: domain.domid, uuid: guest.uuid }, stub: stub.domid };
	await connectScreen(guest.context(services), place, (error) =>
		services.log.warn({ guest: guest.uuid, error: serializeError(error) }, "Cannot let viewers in by TCP again"),
	);
}

/** Nothing where there is no QEMU to speak with. */
export async function reattachQmp(
	guest: Guest,
	services: Services,
	{ signal, timeoutMs }: { signal: AbortSignal; timeoutMs: number },
): Promise<void> {
	const { guest: domain, stub, qemu } = guest.record.runtime;
	if (qemu && guest.record.deviceModelFailure === undefined) {
		const { qemuFolder } = guest.context(services).places;
		const path = qmpSocketOf(qemuFolder);
		return services.relay.attachQmpSocket({ guest: guest.uuid, path, timeoutMs });
	}
	// The older QEMU of a MiniOS stub domain has no QMP.
	if (guest.record.config.deviceModel?.place === "minios") return;
	if (stub?.domid === undefined || domain.domid === undefined || guest.record.deviceModelFailure !== undefined) return;
	const place = { guest: { domid: domain.domid, uuid: guest.uuid }, stub: stub.domid };
	const ring = await awaitQmpVchan(services, place, signal);
	await services.relay.attachQmp({ guest: guest.uuid, domid: stub.domid, ...ring, timeoutMs });
}
