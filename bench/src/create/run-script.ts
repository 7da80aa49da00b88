import { BulkheadError } from "@bulkhead/base";
import type { Lab } from "@bulkhead/lab";

const STDERR_KEPT = 2000;

/** Runs a shell script in dom0 that must succeed. @returns its standard output @throws BulkheadError `script-failed` */
export async function runScript(
	lab: Lab,
	what: string,
	script: string,
	args: readonly string[],
	timeoutMs: number,
): Promise<string> {
	const { stdout, stderr, exitCode } = await lab.exec(["sh", "-c", script, what, ...args], { timeoutMs });
	if (exitCode === 0) return stdout.toString("utf8");
	throw new BulkheadError("script-failed", `Could not ${what}: ${stderr.trim().slice(-STDERR_KEPT)}`, {
		fields: { exitCode },
	});
}
