import { loadavg } from "node:os";
import { formatTable } from "../table.ts";
import { type LoadFigures, measureLoad } from "./measure-load.ts";
import { measureRequests, type RequestFigures } from "./measure-requests.ts";
import { ServerProcess } from "./server-process.ts";

export interface XenstoreServerResults {
	startedAt: string;
	loadBefore: number;
	requests: RequestFigures[];
	load: LoadFigures[];
}

const REQUESTS = 20_000;

/** The in-memory xenstored by its socket: no Xen, no lab. */
export async function runXenstoreServerBench(
	rounds: number,
	say: (line: string) => void,
): Promise<XenstoreServerResults> {
	const results = { startedAt: new Date().toISOString(), loadBefore: loadavg()[0] ?? 0 };
	await using server = await ServerProcess.start();
	say("Asking an empty server");
	const requests = await measureRequests(server.path, { rounds, requests: REQUESTS });
	say("Filling it");
	return { ...results, requests, load: await measureLoad(server) };
}

export function reportXenstoreServer({ startedAt, loadBefore, requests, load }: XenstoreServerResults): string {
	const asked = requests.map(({ what, perSecond, latencyMicroseconds: latency }) => [
		what,
		`${count(perSecond.median)} (${count(perSecond.min)}–${count(perSecond.max)})`,
		latency ? `${count(latency.median)}` : "",
		latency ? `${count(latency.p99)}` : "",
	]);
	const held = load.map((each) => [
		each.what,
		mebibytes(each.rssBytes),
		mebibytes(each.heapBytes),
		`${count(each.readsPerSecond)}, ${count(each.readP99Microseconds)}`,
		`${count(each.writesPerSecond)}, ${count(each.writeP99Microseconds)}`,
	]);
	return [
		`Taken: ${startedAt}. Load of the machine before: ${loadBefore.toFixed(2)}.`,
		"",
		formatTable(["our client on the socket", "per second: median (min–max)", "µs each: median", "p99"], asked),
		"",
		formatTable(["held", "RSS, MiB", "heap, MiB", "reads/s, p99 µs", "writes/s, p99 µs"], held),
		"",
	].join("\n");
}

function count(value: number): string {
	return Math.round(value).toLocaleString("en").replaceAll(",", " ");
}

function mebibytes(bytes: number): string {
	return (bytes / 1024 / 1024).toFixed(1);
}
