import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ContentCache, ProgramFailedError, runProgram } from "@bulkhead/image";

const TRIAL_TIMEOUT_MS = 60_000;

/**
 * A file with V8's compiled code of a CommonJS program, found by running it once with `trial` as its arguments, however
 * that ends. Good for the very Node that runs this. `writer` is write-cache.ts as one file.
 */
export async function compiledCode(
	source: string,
	writer: string,
	trial: readonly string[],
	cache: ContentCache = new ContentCache(),
): Promise<string> {
	const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
	const inputs = { source: sha256(source), writer: sha256(writer), trial: trial.join(" "), node: process.version };
	const dir = await cache.cached("compiled-code", inputs, async (out) => {
		const program = join(out, "program");
		const writerFile = join(out, "write-cache.cjs");
		await writeFile(`${program}.source`, source);
		await writeFile(writerFile, writer);
		await runProgram([process.execPath, writerFile, program, ...trial], { timeoutMs: TRIAL_TIMEOUT_MS }).catch(
			(error: unknown) => {
				if (!(error instanceof ProgramFailedError)) throw error;
			},
		);
	});
	return join(dir, "program.cache");
}
