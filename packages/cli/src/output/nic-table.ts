import type { Nic } from "@bulkhead/api/client";
import { printable } from "@bulkhead/base";

/** Nics in the columns of `xl network-list` (xl_nic.c). */
export function nicTable(nics: readonly Nic[]): string {
	const header = row("Idx", "BE", "Mac Addr.", "handle", "state", "evt-ch", "tx-", "rx-ring-ref", "BE-path");
	return [header, ...nics.map(nicRow)].join("\n");
}

function nicRow({ devid, backendDomid, mac, state, eventChannel, txRingRef, rxRingRef, backendPath }: Nic): string {
	return row(
		devid,
		backendDomid,
		printable(mac, 32),
		devid,
		state,
		eventChannel,
		txRingRef,
		rxRingRef,
		printable(backendPath, 128),
	);
}

type Cell = string | number;

function row(
	index: Cell,
	backend: Cell,
	mac: Cell,
	handle: Cell,
	state: Cell,
	evtchn: Cell,
	tx: Cell,
	rx: Cell,
	path: Cell,
): string {
	const left = [`${index}`.padEnd(3), `${backend}`.padEnd(2), `${mac}`.padEnd(17)];
	const right = [`${handle}`.padStart(6), `${state}`.padStart(5), `${evtchn}`.padStart(6)];
	return [...left, ...right, `${`${tx}`.padStart(5)}/${`${rx}`.padEnd(11)}`, `${path}`.padEnd(30)].join(" ");
}
