import { afterAll, beforeAll } from "vitest";
import { Lab } from "../../../src/lab.ts";
import { runBulkhead } from "./bulkhead-cli.ts";
import { printLastWords } from "./last-words.ts";

/** The lab that the whole project shares, for the tests of one file. */
export function useLab(): { readonly lab: Lab } {
	const holder: { lab: Lab } = { lab: undefined as unknown as Lab };
	beforeAll(async () => {
		holder.lab = await Lab.attach();
	});
	afterAll(() => holder.lab?.close());
	printLastWords(holder);
	return holder;
}

export interface Outcome {
	exitCode: number;
	stdout: string;
	stderr: string;
}

export interface RunOptions {
	stdin?: string;
	timeoutMs?: number;
}

export const TIMEOUT_MS = 120_000;

/** Runs a command in dom0, text in, text out; `bulkhead` from here (see bulkhead-cli.ts), but for what needs the relay too. */
export async function run(lab: Lab, argv: string[], given: RunOptions = {}): Promise<Outcome> {
	const options = { timeoutMs: TIMEOUT_MS, ...given };
	const [program, ...args] = argv;
	if (program === "bulkhead" && args[0] !== "console") return runBulkhead(lab, args, options);
	const { exitCode, stdout, stderr } = await lab.exec(argv, options);
	return { exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}

/** Runs a command that must succeed and answers its stdout. */
export async function ok(lab: Lab, argv: string[], options: RunOptions = {}): Promise<string> {
	const { exitCode, stdout, stderr } = await run(lab, argv, options);
	if (exitCode !== 0) throw new Error(`${argv.join(" ")} ended with ${exitCode}: ${stderr}${stdout}`);
	return stdout;
}

/** `bulkhead --json …`, parsed. */
export async function bulkhead<T = Record<string, unknown>>(lab: Lab, ...args: string[]): Promise<T> {
	return JSON.parse(await ok(lab, ["bulkhead", "--json", ...args])) as T;
}

/** Asks again until the answer satisfies, or the deadline passes. */
export async function eventually<T>(what: string, ask: () => Promise<T | undefined>, timeoutMs = 60_000): Promise<T> {
	const limit = Date.now() + timeoutMs;
	for (;;) {
		const answer = await ask();
		if (answer !== undefined) return answer;
		if (Date.now() > limit) throw new Error(`Waited ${timeoutMs} ms in vain for ${what}`);
		await new Promise((resolve) => setTimeout(resolve, 200));
	}
}
