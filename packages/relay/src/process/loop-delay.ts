import { monitorEventLoopDelay } from "node:perf_hooks";
import type { RelayResult } from "@bulkhead/api/relay";
import { delay } from "@bulkhead/base";

const RESOLUTION_MS = 5;
const NS_PER_MS = 1e6;

/** Watches how late timers come, beyond their own resolution. @throws CancelledError */
export async function measureLoopDelay(forMs: number, signal: AbortSignal): Promise<RelayResult<"loop-delay">> {
	const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
	histogram.enable();
	try {
		await delay(forMs, signal);
	} finally {
		histogram.disable();
	}
	// The histogram counts the whole time from one timer to the next.
	const late = (ns: number): number => Math.max(0, Math.round((ns / NS_PER_MS - RESOLUTION_MS) * 100) / 100);
	return {
		medianMs: late(histogram.percentile(50)),
		p99Ms: late(histogram.percentile(99)),
		mostMs: late(histogram.max),
	};
}
