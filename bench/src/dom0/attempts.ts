import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ApiClient, type CreateGuestRequest } from "@bulkhead/api/client";
import { BulkheadError } from "@bulkhead/base";
import type { Attempt, Progress } from "./protocol.ts";

const client = new ApiClient();

/** Creates a guest. `onProgress` hears of bulkheadd's steps when it is asked by request. */
export async function attemptCreate(
	by: Attempt<CreateGuestRequest>,
	onProgress: (progress: Progress) => void,
): Promise<void> {
	if ("argv" in by) return runToEnd(by.argv);
	await client.create(by.request, { onLine: (line) => line.type === "progress" && onProgress(line) });
}

export async function attemptDestroy(by: Attempt<string>): Promise<void> {
	if ("argv" in by) return runToEnd(by.argv);
	await client.destroy(by.request);
}

/**
 * Resolves when the program itself has ended: `xl create` leaves a child behind that holds its output open, hence a
 * file and no pipe. @throws BulkheadError `program-failed` with that output
 */
export async function runToEnd(argv: readonly string[]): Promise<void> {
	const [program = "", ...args] = argv;
	const directory = mkdtempSync(join(tmpdir(), "bench-"));
	const log = openSync(join(directory, "log"), "w+");
	try {
		const status = await new Promise<number | null>((resolve, reject) => {
			spawn(program, args, { stdio: ["ignore", log, log] })
				.once("error", reject)
				.once("exit", resolve);
		});
		if (status === 0) return;
		const output = readFileSync(join(directory, "log"), "utf8").trim().slice(-2000);
		throw new BulkheadError("program-failed", `${argv.join(" ")} ended with ${status}: ${output}`);
	} finally {
		closeSync(log);
		rmSync(directory, { recursive: true });
	}
}
