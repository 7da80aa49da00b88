import type { Lab } from "@bulkhead/lab";
import { BENCH_DIRECTORY } from "./bench-guest.ts";
import { runScript } from "./run-script.ts";
import { type ProcessCounts, readStraceLog } from "./strace-log.ts";

export interface ProcessesOfRun {
	create: ProcessCounts;
	destroy: ProcessCounts;
}

const CALLS = "trace=clone,clone3,fork,vfork,execve";
const RUN_TIMEOUT_MS = 300_000;
const SPLIT = "--- destroy ---";

/** `-D`: xl stays the shell's child, and strace the tracer of what xl leaves behind. */
const XL_SCRIPT = `
cd "$1" || exit 1
strace -D -f -qq -e signal=none -e ${CALLS} -o create.strace xl create "$2" >&2 || exit 1
cp create.strace create.log
strace -f -qq -e signal=none -e ${CALLS} -o destroy.log xl destroy "$3" >&2 || exit 1
cat create.log; echo "${SPLIT}"; cat destroy.log
`;

/** Every thread of daemon and relay must be traced before the guest is created; the command is traced as xl is. */
const BULKHEAD_SCRIPT = `
cd "$1" || exit 1
daemons=$(pgrep -f '^node .*/(bulkheadd|bulkhead-relay)\\.mjs')
traced() { for pid in $daemons; do for task in /proc/$pid/task/*; do
	grep -q 'TracerPid:[^1-9]*0$' "$task/status" && return 1; done; done; return 0; }
strace -f -qq -e signal=none -e ${CALLS} -o daemons.log $(for pid in $daemons; do echo "-p $pid"; done) &
tracer=$!
until traced; do kill -0 $tracer || exit 1; done
strace -f -qq -e signal=none -e ${CALLS} -o command.log bulkhead create "$2" >&2 || exit 1
cat daemons.log command.log
echo "${SPLIT}"
lines=$(wc -l <daemons.log)
strace -f -qq -e signal=none -e ${CALLS} -o command.log bulkhead destroy "$3" >&2 || exit 1
kill -TERM $tracer; wait $tracer
tail -n +$((lines + 1)) daemons.log; cat command.log
`;

/** Counts processes made for one create and one destroy, by strace. Times are not taken meanwhile. */
export async function countProcesses(
	lab: Lab,
	program: "xl" | "bulkhead",
	config: { file: string; name: string },
): Promise<ProcessesOfRun> {
	const script = program === "xl" ? XL_SCRIPT : BULKHEAD_SCRIPT;
	const args = [BENCH_DIRECTORY, config.file, config.name];
	const log = await runScript(lab, `count ${program}'s processes`, script, args, RUN_TIMEOUT_MS);
	const [create = "", destroy = ""] = log.split(SPLIT);
	return { create: readStraceLog(create), destroy: readStraceLog(destroy) };
}
