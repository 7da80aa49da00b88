import { XenstoreClient } from "@bulkhead/xenstore";
import { type Summary, summarize } from "../statistics.ts";

export interface RequestFigures {
	/** What was asked. */
	what: string;
	/** For each round. */
	perSecond: Summary;
	/** Of single requests, each awaited before the next. */
	latencyMicroseconds?: Summary & { p99: number };
}

export interface RoundSizes {
	/** How often everything is measured. */
	rounds: number;
	/** Requests of one round. */
	requests: number;
}

/** Requests under way at a time, when they do not wait for each other. */
const PIPELINED = 1000;

/** Our own client on the server's socket: what a daemon on a simulated host sees. */
export async function measureRequests(socket: string, { rounds, requests }: RoundSizes): Promise<RequestFigures[]> {
	await using client = await XenstoreClient.connect({ path: socket });
	for (let index = 0; index < PIPELINED; index++) await client.write(`/bench/${index}`, index);
	const asks: Record<string, (index: number) => Promise<unknown>> = {
		reads: (index) => client.read(`/bench/${index % PIPELINED}`),
		writes: (index) => client.write(`/bench/${index % PIPELINED}`, index),
		"transactions (read, write)": (index) =>
			client.transaction(async (tx) => {
				const path = `/bench/${index % PIPELINED}`;
				await tx.write(path, Number(await tx.readText(path)) + 1);
			}),
	};
	const figures: RequestFigures[] = [];
	for (const [what, ask] of Object.entries(asks)) {
		const pipelined: number[] = [];
		const single: number[] = [];
		const latencies: number[] = [];
		for (let round = 0; round < rounds; round++) {
			pipelined.push(await rate(requests, PIPELINED, ask));
			single.push(await rate(Math.ceil(requests / 10), 1, ask, latencies));
		}
		figures.push({ what: `${what}, ${PIPELINED} at a time`, perSecond: summarize(pipelined) });
		const latencyMicroseconds = { ...summarize(latencies), p99: percentile(latencies, 0.99) };
		figures.push({ what: `${what}, one by one`, perSecond: summarize(single), latencyMicroseconds });
	}
	await client.remove("/bench");
	return figures;
}

/** Each a second, with so many under way at a time. */
async function rate(
	count: number,
	atATime: number,
	ask: (index: number) => Promise<unknown>,
	latencies?: number[],
): Promise<number> {
	const began = performance.now();
	for (let done = 0; done < count; done += atATime) {
		const asked = performance.now();
		if (atATime === 1) await ask(done);
		else await Promise.all(Array.from({ length: Math.min(atATime, count - done) }, (_, index) => ask(done + index)));
		latencies?.push((performance.now() - asked) * 1000);
	}
	return (count / (performance.now() - began)) * 1000;
}

export function percentile(values: readonly number[], part: number): number {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)] ?? 0;
}
