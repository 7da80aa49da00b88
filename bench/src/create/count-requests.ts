import type { Lab } from "@bulkhead/lab";
import { BENCH_DIRECTORY } from "./bench-guest.ts";
import { runScript } from "./run-script.ts";
import { type RequestCounts, readTrace } from "./xenstored-trace.ts";

export interface RequestsOfRun {
	create: RequestCounts;
	destroy: RequestCounts;
}

const MARKER = "/bulkhead-bench/create-is-over";
const TRACE = `${BENCH_DIRECTORY}/xenstored.trace`;
const RUN_TIMEOUT_MS = 240_000;
/** `wrl:` lines tell of write limits, several for each request. */
const SCRIPT = `
trace=$1 marker=$2 program=$3 config=$4 name=$5
rm -f "$trace"
xenstore-control logfile "$trace" && xenstore-control log on || exit 1
{ "$program" create "$config" && { xenstore-read "$marker" || true; } && "$program" destroy "$name"; } >&2 2>&1
status=$?
xenstore-control log off >&2
grep -v '^wrl:' "$trace"
rm -f "$trace"
exit $status
`;

/** Counts xenstore requests of one create and destroy by xenstored's own trace. Times are not taken meanwhile. */
export async function countRequests(
	lab: Lab,
	program: "xl" | "bulkhead",
	config: { file: string; name: string },
): Promise<RequestsOfRun> {
	const args = [TRACE, MARKER, program, config.file, config.name];
	const trace = await runScript(lab, `count ${program}'s xenstore requests`, SCRIPT, args, RUN_TIMEOUT_MS);
	const [create, destroy] = readTrace(trace, MARKER);
	if (!create || !destroy) throw new TypeError("xenstored's trace lacks the mark between create and destroy");
	return { create, destroy };
}
