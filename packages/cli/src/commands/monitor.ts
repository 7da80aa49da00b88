import { ProtocolError } from "@bulkhead/base";
import type { CommandContext } from "../command-context.ts";
import { safeText } from "../output/safe-text.ts";

const TIMEOUT_MS = 30_000;

/** Runs one command of QEMU's monitor for people, as far as the relay's allow-list goes, and prints its answer. */
export async function qemuMonitorCommand(
	context: CommandContext,
	ref: string,
	words: readonly string[],
): Promise<void> {
	const answer = await context.client.qmp(ref, {
		command: "human-monitor-command",
		arguments: { "command-line": words.join(" ") },
		timeoutMs: TIMEOUT_MS,
	});
	if (typeof answer !== "string") throw new ProtocolError("QEMU's monitor did not answer with text");
	if (context.json) context.printJson({ return: answer });
	else if (answer !== "") context.print(safeText(answer.replace(/(?:\r?\n)+$/, "")));
}
