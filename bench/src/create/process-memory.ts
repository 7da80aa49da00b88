import type { Lab } from "@bulkhead/lab";

export interface ProcessMemory {
	pid: number;
	/** The program, and for Node the script. */
	program: string;
	/** Proportional set size: shared pages divided by their users. */
	pssKiB: number;
	rssKiB: number;
	/** Memory of no file: what goes away only with the process. */
	anonymousKiB: number;
}

const SCRIPT = `
for each in /proc/[0-9]*; do
	sizes=$(awk '/^(Rss|Pss|Anonymous):/ { printf "%s%s ", $1, $2 }' "$each/smaps_rollup" 2>/dev/null)
	[ -z "$sizes" ] || echo "\${each#/proc/} $sizes $(tr '\\0' ' ' <"$each/cmdline")"
done
`;

/** Every process of dom0 with memory of its own. The shell that asks is among them. */
export async function listProcessMemory(lab: Lab): Promise<ProcessMemory[]> {
	const lines = (await lab.run(["sh", "-c", SCRIPT])).trim().split("\n");
	return lines.flatMap((line) => readProcess(line) ?? []);
}

export function readProcess(line: string): ProcessMemory | undefined {
	const match = /^(\d+) Rss:(\d+) Pss:(\d+) Anonymous:(\d+) {1,2}(\S+)(?: (\S+))?/.exec(line);
	if (!match) return undefined;
	const [, pid, rssKiB, pssKiB, anonymousKiB, command = "", argument] = match;
	const name = command.slice(command.lastIndexOf("/") + 1);
	const program = name === "node" && argument ? argument.slice(argument.lastIndexOf("/") + 1) : name;
	return {
		pid: Number(pid),
		program,
		pssKiB: Number(pssKiB),
		rssKiB: Number(rssKiB),
		anonymousKiB: Number(anonymousKiB),
	};
}
