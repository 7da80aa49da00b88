import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runProgram } from "@bulkhead/image";

const INIT = fileURLToPath(new URL("../init", import.meta.url));
const PROBES = fileURLToPath(new URL("c", import.meta.url));
const FLAGS = ["-std=gnu17", "-Wall", "-Wextra", "-Werror", "-g", "-fsanitize=address,undefined", `-I${INIT}`] as const;

export interface Probe {
	run(args?: string[]): Promise<string[]>;
	[Symbol.asyncDispose](): Promise<void>;
}

/** A test program linked with some of init's sources, checked for memory errors. */
export async function compileProbe(name: string, initSources: string[], flags: string[] = []): Promise<Probe> {
	const dir = await mkdtemp(join(tmpdir(), "bulkhead-probe-"));
	const program = join(dir, name);
	const sources = [
		join(PROBES, `${name}.c`),
		join(PROBES, "fake-xenstore.c"),
		...initSources.map((each) => join(INIT, each)),
	];
	await runProgram(["gcc", ...FLAGS, ...flags, "-o", program, ...sources], { timeoutMs: 60_000 });
	return {
		run: async (args = []) => {
			// Leaks are no concern of a program whose end is the domain's end.
			const env = { ...process.env, ASAN_OPTIONS: "detect_leaks=0" };
			const { stdout } = await runProgram([program, ...args], { timeoutMs: 20_000, env });
			return stdout.toString("latin1").trimEnd().split("\n");
		},
		[Symbol.asyncDispose]: () => rm(dir, { recursive: true }),
	};
}
