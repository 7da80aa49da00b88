import { readFile } from "node:fs/promises";
import type { RelayClient } from "@bulkhead/api/relay";

export interface RelayFigures {
	loop: { medianMs: number; p99Ms: number; mostMs: number };
	/** Share of one processor that its main thread takes. */
	cpu: number;
	rssMiB: number;
}

const NS_PER_SECOND = 1e9;

/** How late the relay's event loop is, what processor time it takes, and what memory it has after that time. */
export async function measureRelay(relay: RelayClient, forMs: number): Promise<RelayFigures> {
	const { pid } = await relay.request("hello", {}, { timeoutMs: 20_000 });
	const before = await cpuSeconds(pid);
	const started = performance.now();
	const loop = await relay.request("loop-delay", { forMs }, { timeoutMs: forMs + 20_000 });
	const seconds = (performance.now() - started) / 1000;
	const cpu = Math.round((((await cpuSeconds(pid)) - before) / seconds) * 100) / 100;
	return { loop, cpu, rssMiB: await rssMiB(pid) };
}

/** Without the time in which the hypervisor let others run, which ticks would count. */
async function cpuSeconds(pid: number): Promise<number> {
	const [onProcessor] = (await readFile(`/proc/${pid}/task/${pid}/schedstat`, "latin1")).split(" ");
	return Number(onProcessor) / NS_PER_SECOND;
}

async function rssMiB(pid: number): Promise<number> {
	const kib = /^VmRSS:\s+(\d+)/m.exec(await readFile(`/proc/${pid}/status`, "latin1"))?.[1];
	return Math.round(Number(kib) / 1024);
}
