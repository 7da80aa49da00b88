import type { RingHost } from "@bulkhead/hypervisor";
import { QmpClient, type QmpVersion, type QmpEvent as WireEvent } from "@bulkhead/qmp";
import { openVchanClient } from "@bulkhead/vchan";
import type { QmpConnection, QmpDialer, QmpEvent } from "./qmp-dialer.ts";

/** Reaches QEMUs over vchans: the ring's page is a grant of the stub domain, its event channel the stub's offer. */
export function dialVchanQmp({ grants, evtchns }: RingHost): QmpDialer {
	return async ({ domid, ringRef, remotePort }, { timeoutMs, signal, onEvent, onClosed }): Promise<QmpConnection> => {
		const stream = openVchanClient({ grants, evtchns, domid, ringRef, remotePort });
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
			version: formatVersion(client.version),
			execute: (command, args, commandTimeoutMs) => client.execute(command, args, { timeoutMs: commandTimeoutMs }),
			close: () => {
				closing = true;
				client.close();
			},
		};
	};
}

function plainEvent({ event, data, timestamp: { seconds, microseconds } }: WireEvent): QmpEvent {
	const timestamp = seconds * 1000 + Math.floor(microseconds / 1000);
	const empty = Object.keys(data).length === 0;
	return { event, ...(empty ? {} : { data }), ...(seconds >= 0 && Number.isFinite(timestamp) ? { timestamp } : {}) };
}

function formatVersion({ major, minor, micro }: QmpVersion): string {
	return major < 0 || minor < 0 || micro < 0 ? "unknown" : `${major}.${minor}.${micro}`;
}
