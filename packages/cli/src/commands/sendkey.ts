import { delay, InvalidInputError, printable } from "@bulkhead/base";
import type { CommandContext } from "../command-context.ts";
import { InterruptedError } from "../interrupted-error.ts";
import { combinationsOfText, parseCombination } from "../screen/keys.ts";
import { listenForStop } from "../stopping.ts";

export interface SendkeyFlags {
	text?: string;
	/** Milliseconds. */
	hold?: number;
}

/** QEMU's own default for one combination; text goes quicker. */
const HOLD_MS = 100;
const TYPING_MS = 20;
const SLOW_MS = 2000;
const TIMEOUT_MS = 15_000;

/** Presses keys of a guest's keyboard, each combination after the one before has been let go. */
export async function sendkey(
	context: CommandContext,
	ref: string,
	names: readonly string[],
	{ text, hold }: SendkeyFlags,
): Promise<void> {
	if ((text === undefined) === (names.length === 0))
		throw new InvalidInputError(
			text === undefined ? "The keys are missing" : "There are keys, and a text too",
			{
				remedy: "Give GUEST KEYS, or GUEST --text TEXT",
			},
			"usage",
		);
	const combinations = text === undefined ? names.map(parseCombination) : combinationsOfText(text);
	const holdMs = hold ?? (text === undefined ? HOLD_MS : TYPING_MS);
	const stopping = listenForStop(context.io);
	const began = performance.now();
	try {
		for (const [done, keys] of combinations.entries()) {
			const args = { keys, "hold-time": holdMs };
			await context.client.qmp(ref, { command: "send-key", arguments: args, timeoutMs: TIMEOUT_MS });
			// QEMU holds them for so long and rests for as long; it keeps few, and drops what is more.
			if (done + 1 < combinations.length) await delay(2 * holdMs, stopping.asked);
			if (context.io.stderr.isTTY && !context.json && performance.now() - began > SLOW_MS)
				context.io.stderr.write(`\r\x1b[K${done + 1} of ${combinations.length} keys`);
		}
	} catch (error) {
		const exitCode = stopping.exitCode();
		throw exitCode === undefined ? error : new InterruptedError(exitCode, error);
	} finally {
		stopping.end();
		if (context.io.stderr.isTTY && !context.json && performance.now() - began > SLOW_MS)
			context.io.stderr.write("\r\x1b[K");
	}
	if (context.json) context.printJson({ combinations });
	else if (context.verbose) context.note(`${combinations.length} keys sent to ${printable(ref)}`);
}
