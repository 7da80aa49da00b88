import { shellQuote } from "./shell-quote.ts";

/**
 * The line that dom0's shell runs for an argv. It notes its process group (sshd gives each session one) under the
 * exec's id first, because ssh itself carries neither signals nor the end of a client to a program without a terminal.
 */
export function remoteCommand(argv: readonly string[], execId: string): string {
	return `echo $$ >/run/lab-exec/${execId}; exec ${shellQuote(argv)}`;
}

/** The line that sends a signal (`INT`) to all of an exec. Fails quietly when it has ended. */
export function signalCommand(execId: string, signal: string): string {
	return `kill -s ${signal} -- -"$(cat /run/lab-exec/${execId})" 2>/dev/null`;
}
