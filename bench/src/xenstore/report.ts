import { formatSummary, median, pairedRatio, summarize } from "../statistics.ts";
import { formatTable } from "../table.ts";
import { CASE_NAMES, CASES, type Case } from "./cases.ts";
import { PEER_NAMES, type PeerName } from "./install-peers.ts";
import { type PeerTimes, SERVERS, type Server, type XenstoreResults } from "./xenstore-bench.ts";

/** The results as Markdown, ready for docs/measurements.md. */
export function reportXenstore(results: XenstoreResults): string {
	const { startedAt, commit, lab, versions, loadBefore, rounds, times } = results;
	const heading = [
		`${startedAt.slice(0, 16).replace("T", " ")} UTC, commit ${commit}; Debian ${lab.release}, Xen ${lab.xen}, Linux ${lab.kernel},`,
		"emulated by QEMU without KVM, servers, clients and kernel on its 2 processors.",
		`${PEER_NAMES.map((name) => `${name}: ${versions[name]}`).join("; ")}.`,
		`Load of the machine before: ${loadBefore.machine.toFixed(2)}. ${rounds} rounds, after 3 to warm up.`,
	].join("\n");
	const tables = SERVERS.flatMap((server) => (times[server] ? [reportServer(server, times[server])] : []));
	return `${[heading, ...tables].join("\n\n")}\n`;
}

function reportServer(server: Server, cases: Record<Case, PeerTimes>): string {
	const head = ["µs each: median (quartiles)", ...PEER_NAMES, "÷ libxenstore", "÷ pyxs", "bulkhead, per s"];
	const rows = CASE_NAMES.map((name) => {
		const times = cases[name];
		const ratioTo = (peer: PeerName): string =>
			times[peer].length === 0 ? "–" : pairedRatio(times.bulkhead, times[peer]).toFixed(2);
		return [
			CASES[name].title,
			...PEER_NAMES.map((peer) => (times[peer].length === 0 ? "–" : formatSummary(summarize(times[peer])))),
			ratioTo("libxenstore"),
			ratioTo("pyxs"),
			Math.round(1e6 / median(times.bulkhead)).toString(),
		];
	});
	return `### On ${server}\n\n${formatTable(head, rows)}`;
}
