import { runProgram } from "@bulkhead/image";

/** Which commit was measured, and whether files differ from it. */
export async function describeCommit(): Promise<string> {
	const { stdout } = await runProgram(["git", "describe", "--always", "--dirty"], {
		cwd: import.meta.dirname,
		timeoutMs: 10_000,
	});
	return stdout.toString("utf8").trim();
}
