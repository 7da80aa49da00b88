import type { HostEvent } from "@bulkhead/api";
import { BulkheadError, type DomId, withDeadline } from "@bulkhead/base";
import { domainPath } from "@bulkhead/toolstack";
import type { Services } from "../services.ts";
import type { Guest } from "./guest.ts";

const QMP_TIMEOUT_MS = 15_000;

/** What a guest can be asked to do to itself. */
export type PowerRequest = "poweroff" | "reboot";

/**
 * Asks a guest to power off or to reboot: by `control/shutdown` when it has said that it listens there. An HVM guest
 * without PV drivers has its ACPI power button pressed, or is reset by Xen: QMP's system_reset would do on Xen only
 * when QEMU happens to see it while it serves an ioreq. Answers how it was asked.
 * @throws BulkheadError `guest-does-not-listen` for a PV guest without the feature
 */
export async function requestPower(
	guest: Guest,
	request: PowerRequest,
	{ xenstore, relay, hypervisor }: Services,
): Promise<"xenstore" | "qmp" | "xen"> {
	const { runtime, config } = guest.record;
	const domid = requireDomid(guest);
	const control = `${domainPath(domid)}/control`;
	if ((await xenstore.find(`${control}/feature-${request}`)) === "1") {
		await xenstore.write(`${control}/shutdown`, request);
		return "xenstore";
	}
	if (config.type === "hvm" && request === "reboot") {
		await hypervisor.domains.shutdown(domid, "reboot");
		return "xen";
	}
	if (config.type === "hvm" && runtime.stub) {
		await relay.executeQmp(guest.uuid, "system_powerdown", undefined, QMP_TIMEOUT_MS);
		return "qmp";
	}
	throw new BulkheadError("guest-does-not-listen", `Guest ${guest.name} does not listen for ${request} requests`, {
		remedy: "Use `bulkhead destroy`, or shut the guest down from inside",
	});
}

/** Waits until the guest's present domain is gone (destroyed, restarted or preserved). @throws DeadlineError */
export async function awaitEnd(
	guest: Guest,
	services: Services,
	timeoutMs: number,
	signal?: AbortSignal,
): Promise<string> {
	const stop = new AbortController();
	const events = services.events.subscribe(stop.signal);
	try {
		return await withDeadline(endEvent(events, guest), { timeoutMs, signal, what: `guest ${guest.name} to end` });
	} finally {
		stop.abort();
	}
}

async function endEvent(events: AsyncIterable<HostEvent>, guest: Guest): Promise<string> {
	for await (const { type, guest: subject, reason } of events) {
		if (subject?.uuid !== guest.uuid) continue;
		if (type === "guest-ended" || (type === "guest-state" && typeof reason === "string")) return String(reason);
	}
	return "unknown";
}

export function requireDomid(guest: Guest): DomId {
	const { domid } = guest.record.runtime.guest;
	if (domid === undefined)
		throw new BulkheadError("guest-not-running", `Guest ${guest.name} has no domain at the moment`, {
			remedy: "Wait until it has been created, or see `bulkhead list`",
		});
	return domid;
}

/** @throws BulkheadError `guest-not-running` also while the guest is being made or undone */
export function requireRunning(guest: Guest): DomId {
	const domid = requireDomid(guest);
	if (guest.record.phase === "running") return domid;
	throw new BulkheadError("guest-not-running", `Guest ${guest.name} does not run`, {
		remedy: "Devices are changed while a guest runs; otherwise change its config file",
	});
}
