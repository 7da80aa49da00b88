import { RELAY_PATHS } from "@bulkhead/api/client";
import { ConsoleSession } from "@bulkhead/console";
import type { CommandContext } from "../command-context.ts";
import { connectTerminal } from "../console/connect-terminal.ts";
import { findConsole } from "../console/find-console.ts";
import type { ConsoleFlags } from "../program/look-commands.ts";

/** Attaches this terminal to a guest's console until Ctrl-], the console's end or a signal. */
export async function console(context: CommandContext, ref: string, flags: ConsoleFlags): Promise<number | undefined> {
	const { guest, label, title } = await findConsole(context.client, ref, flags);
	const session = await ConsoleSession.open({
		socketPath: context.io.env.BULKHEAD_CONSOLE_SOCKET ?? RELAY_PATHS.consoleSocket,
		guest,
		console: label,
		from: flags.tail ? "tail" : (flags.from ?? "live"),
		// The stub domain's log has nobody to read what is typed.
		input: !flags.readOnly && label !== "stub",
	});
	return connectTerminal(context, session, { title, until: flags.until });
}
