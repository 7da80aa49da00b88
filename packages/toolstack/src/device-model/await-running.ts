import { type DomId, type EvtchnPort, evtchnPort, type GrantRef, grantRef, printable, type Uuid } from "@bulkhead/base";
import type { RingServices, ToolstackContext } from "../context.ts";
import { awaitDomainEnd } from "../domain/await-end.ts";
import { deviceModelPath } from "../domain/paths.ts";
import { DeviceModelError } from "../errors.ts";

const LOG_TAIL_BYTES = 1024;
const QMP_VCHAN_TIMEOUT_MS = 15_000;

export interface DeviceModelPlace {
	guest: { domid: DomId; uuid: Uuid };
	stub: DomId;
}

type Host = Pick<ToolstackContext, "xenstore" | "hypervisor" | "rings">;

/**
 * Waits until QEMU in the stub domain runs. Fails at once, not at the deadline, when the stub says `error` or dies.
 * @throws DeviceModelError with the stub's own reason and the end of its log; DeadlineError; CancelledError
 */
export async function awaitDeviceModel(
	host: Host,
	place: DeviceModelPlace,
	options: { timeoutMs: number; signal: AbortSignal },
): Promise<void> {
	const path = deviceModelPath(place.stub, place.guest.domid);
	const settled = new AbortController();
	const signal = AbortSignal.any([options.signal, settled.signal]);
	const reported = host.xenstore.waitFor(`${path}/state`, (state) => state === "running" || state === "error", {
		timeoutMs: options.timeoutMs,
		signal,
		what: "QEMU in the stub domain",
	});
	const ended = awaitDomainEnd(host, place.stub, signal).then((reason) => ({ ended: reason }));
	ended.catch(() => {});
	reported.catch(() => {});
	try {
		const outcome = await Promise.race([reported, ended]);
		if (typeof outcome === "object")
			throw await failure(host.rings, place, `The stub domain ended (${outcome.ended}) before its QEMU ran`);
		if (outcome === "error") throw await failure(host.rings, place, await readDeviceModelError(host, place));
	} finally {
		settled.abort();
	}
}

/** Why the stub's init gave up, made safe for people to read. */
export async function readDeviceModelError(host: Pick<Host, "xenstore">, place: DeviceModelPlace): Promise<string> {
	const reason = await host.xenstore.find(`${deviceModelPath(place.stub, place.guest.domid)}/error`);
	return `The device model failed: ${printable(reason ?? "the stub domain gives no reason", 512)}`;
}

async function failure(rings: RingServices, place: DeviceModelPlace, reason: string): Promise<DeviceModelError> {
	const tail = await rings.tail(place.guest.uuid, "stub", LOG_TAIL_BYTES).catch(() => new Uint8Array());
	const lines = Buffer.from(tail).toString("latin1").split(/\r?\n/);
	return new DeviceModelError(reason, {
		remedy:
			"Read the stub domain's log (fields.log) and check stubdomain_kernel, stubdomain_ramdisk and stubdomain_memory",
		fields: { log: lines.map((line) => printable(line, 200)).filter((line) => line !== "") },
	});
}

/** Where the stub serves QMP. The numbers are the stub's own words: checked for range. */
export async function awaitQmpVchan(
	host: Pick<Host, "xenstore">,
	place: DeviceModelPlace,
	signal: AbortSignal,
): Promise<{ ringRef: GrantRef; remotePort: EvtchnPort }> {
	const path = `${deviceModelPath(place.stub, place.guest.domid)}/qmp-vchan`;
	// A server may write its two keys one after the other, the ring's reference last.
	const ref = await host.xenstore.waitFor(`${path}/ring-ref`, (value) => value !== undefined && value !== "", {
		timeoutMs: QMP_VCHAN_TIMEOUT_MS,
		signal,
		what: "the stub domain's QMP vchan",
	});
	const port = await host.xenstore.readText(`${path}/event-channel`);
	return { ringRef: grantRef(ref ?? ""), remotePort: evtchnPort(port) };
}
