import { spawn } from "node:child_process";
import { withDeadline } from "@bulkhead/base";

export interface Outcome {
	status: number | null;
	stdout: string;
	stderr: string;
}

const TIMEOUT_MS = 15_000;

/**
 * Runs a program against the server's socket (libxenstore and pyxs take it from XENSTORED_PATH).
 *
 * @param env more of its environment
 */
export async function runProgram(
	command: string,
	args: readonly string[],
	socket: string,
	env: NodeJS.ProcessEnv = {},
): Promise<Outcome> {
	const child = spawn(command, args, {
		stdio: ["ignore", "pipe", "pipe"],
		env: { ...process.env, XENSTORED_PATH: socket, LC_ALL: "C.UTF-8", ...env },
	});
	let [stdout, stderr] = ["", ""];
	child.stdout.on("data", (chunk) => {
		stdout += chunk;
	});
	child.stderr.on("data", (chunk) => {
		stderr += chunk;
	});
	const ended = new Promise<number | null>((resolve, reject) => {
		child.once("error", reject);
		child.once("close", resolve);
	});
	try {
		const status = await withDeadline(ended, { timeoutMs: TIMEOUT_MS, what: `the end of ${command}` });
		return { status, stdout, stderr };
	} catch (error) {
		child.kill("SIGKILL");
		throw error;
	}
}
