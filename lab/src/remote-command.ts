import { shellQuote } from "./shell-quote.ts";

/**
 * The line that dom0's shell runs for an argv. It notes its process group (sshd gives each session one) under the
 * exec's id, because ssh itself carries neither signals nor the end of a client to a program without a terminal. The
 * shell stays as the program's parent: its status tells of a signal (128 + n), where ssh would only say 255. The traps
 * keep the shell itself alive; programs start without them.
 */
export function remoteCommand(argv: readonly string[], execId: string): string {
	return `trap : HUP INT QUIT TERM; echo $$ >/run/lab-exec/${execId}; ${shellQuote(argv)}; exit $?`;
}

/** The line that sends a signal (`INT`) to all of an exec. Fails quietly when it has ended. */
export function signalCommand(execId: string, signal: string): string {
	return `kill -s ${signal} -- -"$(cat /run/lab-exec/${execId})" 2>/dev/null`;
}
