import type { Guest } from "@bulkhead/api/client";
import { printable } from "@bulkhead/base";

const HEADER = "Name                                        ID   Mem VCPUs\tState\tTime(s)";

/** Guests in the columns of `xl list`. */
export function guestTable(guests: readonly Guest[]): string {
	return [HEADER, ...guests.map(guestRow)].join("\n");
}

function guestRow({ name, domid, memoryKiB, vcpus, state, cpuSeconds }: Guest): string {
	const columns = [
		printable(name, 64).padEnd(40),
		`${domid ?? "-"}`.padStart(5),
		`${Math.round(memoryKiB / 1024)}`.padStart(5),
		`${vcpus}`.padStart(5),
		`    ${printable(state, 8)} `,
		cpuSeconds.toFixed(1).padStart(8),
	];
	return columns.join(" ");
}
