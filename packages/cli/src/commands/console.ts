import { RELAY_PATHS } from "@bulkhead/api/client";
import { ConsoleSession } from "@bulkhead/console";
import type { CommandContext } from "../command-context.ts";
import { awaitReturn } from "../console/await-return.ts";
import { connectTerminal } from "../console/connect-terminal.ts";
import { DEFAULT_ESCAPE, escapeKey } from "../console/escape-key.ts";
import { findConsole } from "../console/find-console.ts";
import type { ConsoleFlags } from "../program/console-command.ts";

const DEFAULT_IDLE_MS = 2000;

/** Attaches this terminal to a guest's console until the escape key, the guest's end or a signal. */
export async function console(context: CommandContext, ref: string, flags: ConsoleFlags): Promise<number | undefined> {
	const { client, io } = context;
	const found = await findConsole(client, ref, flags);
	const { guest, label, title } = found;
	const { log: logOnly = false, reconnect = true, until, idle: idleMs = DEFAULT_IDLE_MS } = flags;
	// The stub domain's log has nobody to read what is typed.
	const input = !flags.readOnly && !logOnly && label !== "stub";
	const session = await ConsoleSession.open({
		socketPath: io.env.BULKHEAD_CONSOLE_SOCKET ?? RELAY_PATHS.consoleSocket,
		guest,
		console: label,
		from: logOnly ? "start" : flags.tail ? "tail" : (flags.from ?? "live"),
		input,
		...(reconnect && !logOnly ? { comesBack: (_, signal) => awaitReturn(client, found, signal) } : {}),
	});
	return connectTerminal(context, session, {
		title,
		escapeByte: flags.escape ?? escapeKey(DEFAULT_ESCAPE),
		input,
		until,
		idleMs,
		logOnly,
	});
}
