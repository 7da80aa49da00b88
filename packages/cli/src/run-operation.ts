import type { OperationOptions } from "@bulkhead/api/client";
import type { CommandContext } from "./command-context.ts";
import { InterruptedError } from "./interrupted-error.ts";
import { ProgressDisplay } from "./output/progress-display.ts";
import { listenForStop } from "./stopping.ts";

/**
 * Carries out a streamed operation with its progress shown. The first Ctrl-C asks the daemon to undo, and its word is
 * waited for; the second leaves it alone with that.
 * @throws InterruptedError when a signal made the operation end; what the operation throws
 */
export async function runOperation<Result>(
	context: CommandContext,
	operation: (options: OperationOptions) => Promise<Result>,
): Promise<{ result: Result; warnings: string[] }> {
	const display = new ProgressDisplay(context);
	const warnings: string[] = [];
	const stopping = listenForStop(context.io, () => {
		display.clear();
		context.note("Cancelling: waiting until bulkheadd has undone what it began (Ctrl-C again: do not wait)");
	});
	try {
		const result = await operation({
			cancel: stopping.asked,
			signal: stopping.insisted,
			onLine: (line) => {
				if (line.type === "warning") warnings.push(line.message);
				display.show(line);
			},
		});
		return { result, warnings };
	} catch (error) {
		const exitCode = stopping.exitCode();
		throw exitCode === undefined ? error : new InterruptedError(exitCode, error);
	} finally {
		stopping.end();
		display.clear();
	}
}
