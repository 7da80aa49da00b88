import { formatSummary, median, pairedRatio, summarize } from "../statistics.ts";
import { formatTable } from "../table.ts";
import { SERVERS, type Server } from "./bench-place.ts";
import { CASE_NAMES, CASES, type Case } from "./cases.ts";
import { PEER_NAMES, type PeerName } from "./peers.ts";
import type { PeerTimes, XenstoreResults } from "./xenstore-bench.ts";

/** The results as Markdown, ready for docs/measurements.md. */
export function reportXenstore(results: XenstoreResults): string {
	const { startedAt, commit, place, versions, loadBefore, rounds, times } = results;
	const heading = [
		`${startedAt.slice(0, 16).replace("T", " ")} UTC, commit ${commit}.`,
		...place,
		`${PEER_NAMES.map((name) => `${name}: ${versions[name]}`).join("; ")}.`,
		`Load of the machine before: ${loadBefore.toFixed(2)}. ${rounds} rounds, after 3 to warm up.`,
	].join("\n");
	const tables = SERVERS.flatMap((server) => (times[server] ? [reportServer(server, times[server])] : []));
	return `${[heading, ...tables].join("\n\n")}\n`;
}

function reportServer(server: Server, cases: Record<Case, PeerTimes>): string {
	const head = ["µs each: median (quartiles)", ...PEER_NAMES, "÷ libxenstore", "÷ pyxs", "bulkhead, per s"];
	const rows = CASE_NAMES.map((name) => {
		const times = cases[name];
		const isMissing = (peer: PeerName): boolean => times[peer].length === 0;
		const ratioTo = (peer: PeerName): string =>
			isMissing(peer) || isMissing("bulkhead") ? "–" : pairedRatio(times.bulkhead, times[peer]).toFixed(2);
		return [
			CASES[name].title,
			...PEER_NAMES.map((peer) => (isMissing(peer) ? "–" : formatSummary(summarize(times[peer])))),
			ratioTo("libxenstore"),
			ratioTo("pyxs"),
			isMissing("bulkhead") ? "–" : Math.round(1e6 / median(times.bulkhead)).toString(),
		];
	});
	return `### On ${server}\n\n${formatTable(head, rows)}`;
}
