import type { Duplex } from "node:stream";
import type { RingHost } from "@bulkhead/hypervisor";
import { QmpClient, type QmpEvent as WireEvent } from "@bulkhead/qmp";
import { openVchanClient } from "@bulkhead/vchan";
import { connectSocket } from "./connect-socket.ts";
import type { QmpConnection, QmpDialer, QmpEvent, QmpPlace } from "./qmp-dialer.ts";
import { QEMU_INPUT, throttle } from "./throttle.ts";

/**
 * Reaches QEMUs: those in stub domains over vchans, whose page is a grant of the stub domain and whose event channel is
 * the stub's offer; those in domain 0 over their unix sockets.
 */
export function dialQmp(host: RingHost): QmpDialer {
	return async (place, { timeoutMs, signal, onEvent, onClosed }): Promise<QmpConnection> => {
		const stream = await openStream(host, place, timeoutMs, signal);
		throttle(stream, QEMU_INPUT);
		// The client takes the stream over: it is destroyed (and the ring unmapped) when this fails.
		const client = await QmpClient.open(stream, {
			greetingTimeoutMs: timeoutMs,
			signal,
			onEvent: (event) => onEvent(plainEvent(event)),
		});
		let closing = false;
		client.onClose((error) => {
			if (!closing) onClosed(error);
		});
		return {
			version: client.version,
			execute: (command, args, options) => client.execute(command, args, options),
			close: () => {
				closing = true;
				client.close();
			},
		};
	};
}

function openStream(
	{ grants, evtchns }: RingHost,
	place: QmpPlace,
	timeoutMs: number,
	signal: AbortSignal,
): Duplex | Promise<Duplex> {
	return "path" in place
		? connectSocket(place.path, { timeoutMs, signal })
		: openVchanClient({ grants, evtchns, ...place });
}

function plainEvent({ event, data, timestamp: { seconds, microseconds } }: WireEvent): QmpEvent {
	const timestamp = seconds * 1000 + Math.floor(microseconds / 1000);
	const empty = Object.keys(data).length === 0;
	return { event, ...(empty ? {} : { data }), ...(seconds >= 0 && Number.isFinite(timestamp) ? { timestamp } : {}) };
}
