import type { GuestScheduling, GuestVcpu, GuestVcpus, Pool } from "@bulkhead/api/client";
import { printable } from "@bulkhead/base";

/** Vcpus in the columns of `xl vcpu-list` (xl_vcpu.c). */
export function vcpuTable(lists: readonly GuestVcpus[]): string {
	const header = `${"Name".padEnd(32)} ${cells("ID", "VCPU", "CPU", "State").join(" ")}${"Time(s)".padStart(10)} Affinity (Hard / Soft)`;
	const rows = lists.flatMap(({ name, domid, hostCpus, vcpus }) =>
		vcpus.map((vcpu) => `${printable(name, 32).padEnd(32)} ${vcpuRow(domid, vcpu, hostCpus)}`),
	);
	return [header, ...rows].join("\n");
}

function vcpuRow(domid: number, each: GuestVcpu, hostCpus: number): string {
	const { vcpu, online, running, blocked, cpu, cpuTimeNs, hard, soft } = each;
	const place = online ? `${cpu}` : "-";
	const state = online ? `${running ? "r" : "-"}${blocked ? "b" : "-"}-` : "--p";
	const affinity = `${cpuRanges(hard, hostCpus)} / ${cpuRanges(soft, hostCpus)}`;
	return `${cells(domid, vcpu, place, state).join(" ")} ${(cpuTimeNs / 1e9).toFixed(1).padStart(9)} ${affinity}`;
}

const cells = (...values: (string | number)[]): string[] => values.map((value) => `${value}`.padStart(5));

/** "0-2,5"; "all" for every processor of the host. */
export function cpuRanges(cpus: readonly number[], hostCpus: number): string {
	if (cpus.length >= hostCpus) return "all";
	const ranges: [first: number, last: number][] = [];
	for (const cpu of cpus) {
		const current = ranges.at(-1);
		if (current && current[1] === cpu - 1) current[1] = cpu;
		else ranges.push([cpu, cpu]);
	}
	return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(",") || "none";
}

/** Weights and caps in the columns of `xl sched-credit` and `xl sched-credit2`, pool by pool. */
export function schedulingTable(guests: readonly GuestScheduling[]): string {
	const pools = groupByPool(guests);
	return [...pools]
		.flatMap(([pool, members]) => [
			`Cpupool ${printable(pool, 64)}:`,
			`${"Name".padEnd(33)} ${"ID".padStart(4)} ${"Weight".padStart(6)} ${"Cap".padStart(4)}`,
			...members.map(schedulingRow),
		])
		.join("\n");
}

function groupByPool(guests: readonly GuestScheduling[]): Map<string, GuestScheduling[]> {
	const pools = new Map<string, GuestScheduling[]>();
	for (const guest of guests) pools.set(guest.pool, [...(pools.get(guest.pool) ?? []), guest]);
	return pools;
}

function schedulingRow(guest: GuestScheduling): string {
	const [first, second] = guest.scheduler === "rtds" ? [guest.periodUs, guest.budgetUs] : [guest.weight, guest.cap];
	const numbers = `${`${guest.domid}`.padStart(4)} ${`${first}`.padStart(6)} ${`${second}`.padStart(4)}`;
	return `${printable(guest.name, 33).padEnd(33)} ${numbers}`;
}

/** Cpupools in the columns of `xl cpupool-list`; with `cpus`, of `xl cpupool-list -c`. */
export function poolTable(pools: readonly Pool[], cpus: boolean): string {
	const name = (pool: Pool): string => printable(pool.name, 19).padEnd(19);
	if (cpus)
		return [`${"Name".padEnd(19)} CPU list`, ...pools.map((pool) => `${name(pool)} ${pool.cpus.join(",")}`)].join("\n");
	const header = `${"Name".padEnd(19)} CPUs   Sched     Active   Domain count`;
	const rows = pools.map((pool) => {
		const columns = [`${pool.cpus.length}`.padStart(3), printable(pool.scheduler, 10).padStart(9)];
		return `${name(pool)} ${columns.join(" ")}       y       ${`${pool.domains}`.padStart(5)}`;
	});
	return [header, ...rows].join("\n");
}
