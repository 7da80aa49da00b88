import type { GuestDisk } from "@bulkhead/api/client";
import { printable } from "@bulkhead/base";

const WIDTHS = [5, 3, 6, 5, 6, 8, 30] as const;
const HEADER = ["Vdev", "BE", "handle", "state", "evt-ch", "ring-ref", "BE-path"];

/** Disks in the columns of `xl block-list`; "-" for what is not there. */
export function diskTable(disks: readonly GuestDisk[]): string {
	return [HEADER, ...disks.map(columnsOf)].map(row).join("\n");
}

function columnsOf({ devid, backendDomid, domid, state, eventChannel, ringRef, backendPath }: GuestDisk): string[] {
	const numbers = [devid, backendDomid, domid, state, eventChannel, ringRef];
	return [...numbers.map((number) => (number === undefined ? "-" : `${number}`)), printable(backendPath, 128)];
}

const row = (columns: readonly string[]): string =>
	columns
		.map((column, at) => column.padEnd(WIDTHS[at] ?? 0))
		.join(" ")
		.trimEnd();
