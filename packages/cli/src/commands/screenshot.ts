import { resolve } from "node:path";
import { errnoOf, InvalidInputError, printable } from "@bulkhead/base";
import { connectScreen, encodePng } from "@bulkhead/screen";
import type { CommandContext } from "../command-context.ts";
import { InterruptedError } from "../interrupted-error.ts";
import { listenForStop } from "../stopping.ts";

const DEFAULT_TIMEOUT_MS = 30_000;
const SLOW_MS = 2000;

/** Writes a picture of a guest's screen as a PNG; `-` is standard output. */
export async function screenshot(
	context: CommandContext,
	ref: string,
	file: string,
	{ timeout = DEFAULT_TIMEOUT_MS }: { timeout?: number },
): Promise<void> {
	const { io } = context;
	if (file === "-" && io.stdout.isTTY)
		throw new InvalidInputError(
			"A picture is no text for a terminal",
			{ remedy: "Name a file, or pipe it on" },
			"usage",
		);
	if (file === "-" && context.json)
		throw new InvalidInputError("Standard output is the picture's, or JSON's", { remedy: "Name a file" }, "usage");
	const { socketPath } = await context.client.screen(ref);
	const slow = setTimeout(() => context.note("Waiting for the guest's screen …"), SLOW_MS);
	const stopping = listenForStop(io);
	try {
		const screen = await connectScreen({ path: socketPath, timeoutMs: timeout, signal: stopping.asked });
		const frame = await screen.readFrame({ timeoutMs: timeout, signal: stopping.asked }).finally(() => screen.close());
		const png = encodePng(frame);
		if (file === "-") {
			io.stdout.write(png);
			return;
		}
		const path = resolve(io.workingDirectory, file);
		await write(context, path, png);
		const { width, height } = frame;
		if (context.json) context.printJson({ path, width, height, bytes: png.length });
		else context.print(`${printable(path)}: ${width} by ${height} pixels`);
	} catch (error) {
		const exitCode = stopping.exitCode();
		throw exitCode === undefined ? error : new InterruptedError(exitCode, error);
	} finally {
		clearTimeout(slow);
		stopping.end();
	}
}

async function write({ io }: CommandContext, path: string, bytes: Uint8Array): Promise<void> {
	try {
		await io.writeFile(path, bytes);
	} catch (cause) {
		throw new InvalidInputError(
			`The file ${printable(path)} cannot be written (${errnoOf(cause) ?? "error"})`,
			{ cause, remedy: "Name another one", fields: { path } },
			"file-unusable",
		);
	}
}
