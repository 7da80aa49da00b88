import { readFile } from "node:fs/promises";
import type { RelayClient } from "@bulkhead/api/relay";

export interface RelayFigures {
	loop: { medianMs: number; p99Ms: number; mostMs: number };
	/** Share of one processor. */
	cpu: number;
	rssMiB: number;
}

const TICKS_PER_SECOND = 100;

/** How late the relay's event loop is, what processor time it takes, and what memory it has after that time. */
export async function measureRelay(relay: RelayClient, forMs: number): Promise<RelayFigures> {
	const { pid } = await relay.request("hello", {}, { timeoutMs: 20_000 });
	const before = await cpuSeconds(pid);
	const started = performance.now();
	const loop = await relay.request("loop-delay", { forMs }, { timeoutMs: forMs + 20_000 });
	const seconds = (performance.now() - started) / 1000;
	const cpu = Math.round(((await cpuSeconds(pid)) - before) * 100) / Math.round(seconds * 100);
	return { loop, cpu, rssMiB: await rssMiB(pid) };
}

/** proc(5): utime and stime are the 14th and 15th field; the 2nd is in parentheses. */
async function cpuSeconds(pid: number): Promise<number> {
	const fields = (await readFile(`/proc/${pid}/stat`, "latin1")).replace(/^.*\) /, "").split(" ");
	return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

async function rssMiB(pid: number): Promise<number> {
	const kib = /^VmRSS:\s+(\d+)/m.exec(await readFile(`/proc/${pid}/status`, "latin1"))?.[1];
	return Math.round(Number(kib) / 1024);
}
