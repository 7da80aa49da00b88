import { serializeError } from "@bulkhead/base";
import { CommanderError } from "commander";
import type { CliIo } from "./cli-io.ts";
import { EXIT_CODES, exitCodeOf } from "./exit-codes.ts";
import { InterruptedError } from "./interrupted-error.ts";
import { asciiJson } from "./output/ascii-json.ts";
import { describeError } from "./output/describe-error.ts";
import { createProgram } from "./program/create-program.ts";

/** Runs one command line (without node and script) and answers the exit code. Never throws. */
export async function runCli(args: readonly string[], io: CliIo): Promise<number> {
	let exitCode: number = EXIT_CODES.ok.code;
	const program = createProgram(io, (code) => {
		exitCode = code;
	});
	const globals = (): { json?: boolean; verbose?: boolean } => program.opts();
	try {
		await program.parseAsync(args, { from: "user" });
		return exitCode;
	} catch (error) {
		if (error instanceof CommanderError) return finishUsage(error, args, io);
		if (globals().json) io.stdout.write(`${asciiJson({ error: serializeError(error) })}\n`);
		else for (const line of describeError(error, { verbose: globals().verbose === true })) io.stderr.write(`${line}\n`);
		return error instanceof InterruptedError ? error.exitCode : exitCodeOf(error);
	}
}

/** Commander has written its message already; `--json` was perhaps not read when it failed. */
function finishUsage(error: CommanderError, args: readonly string[], io: CliIo): number {
	if (error.exitCode === 0) return EXIT_CODES.ok.code;
	if (args.includes("--json")) {
		const message = error.message.replace(/^error: /, "");
		io.stdout.write(`${asciiJson({ error: { code: "usage", message } })}\n`);
	}
	return EXIT_CODES.usage.code;
}
