import { once } from "node:events";
import { finished } from "node:stream/promises";
import { BulkheadError, printable } from "@bulkhead/base";
import type { ConsoleSession } from "@bulkhead/console";
import type { CommandContext } from "../command-context.ts";
import { listenForStop } from "../stopping.ts";
import { ConsoleInput } from "./console-input.ts";
import { escapeName } from "./escape-key.ts";
import { TextFinder } from "./text-finder.ts";

export interface TerminalOptions {
	/** The console's, for messages. */
	title: string;
	/** The key that detaches a terminal. */
	escapeByte: number;
	/** Whether standard input is read. */
	input: boolean;
	/** The first output that has this text is the last. */
	until?: string | undefined;
	/** Leave when everything is sent, standard input is at its end, and nothing has come for so long. */
	idleMs: number;
	/** Print what has been kept so far and leave. */
	logOnly?: boolean;
}

/**
 * Joins standard input and output with a console's session, until the escape key, the console's end, a signal, or what
 * the options say. The terminal is set back on every path.
 * @throws BulkheadError `console-ended` when the text did not come
 */
export async function connectTerminal(
	{ io, note }: CommandContext,
	session: ConsoleSession,
	{ title, escapeByte, input: reads, until, idleMs, logOnly = false }: TerminalOptions,
): Promise<number | undefined> {
	const finder = until === undefined ? undefined : new TextFinder(until);
	const stopping = listenForStop(io);
	let left = false;
	let idle: NodeJS.Timeout | undefined;
	const leave = (): void => {
		left = true;
		session.destroy();
	};
	const onSent = (): void => {
		if (finder === undefined && !session.destroyed) idle = setTimeout(leave, idleMs);
	};
	const input = new ConsoleInput({ stdin: io.stdin, session, escapeByte, onLeave: leave, onSent });
	const isRaw = reads && input.isTerminal;
	const say = (text: string): void => note(`${isRaw ? "\r" : ""}[${printable(text)}]${isRaw ? "\r" : ""}`);
	tellEvents(session, title, say);
	if (isRaw) say(`${title}; ${escapeName(escapeByte)} detaches`);
	stopping.asked.addEventListener("abort", leave, { once: true });
	const isLogDone = (): boolean => logOnly && session.offset >= session.endAtStart;
	try {
		if (reads) input.open();
		if (isLogDone()) leave();
		await copyOutput(session, io.stdout, (chunk) => {
			idle?.refresh();
			if (finder?.push(chunk) || isLogDone()) leave();
		});
		if (finder && !finder.found && !left) throw endedTooSoon(title);
	} finally {
		clearTimeout(idle);
		stopping.end();
		if (reads) input.close();
		session.destroy();
	}
	// The shell's prompt begins a line of its own.
	if (isRaw && left) note("");
	return stopping.exitCode();
}

function tellEvents(session: ConsoleSession, title: string, say: (text: string) => void): void {
	session
		.on("lost", () => say("lost the relay, looking for it"))
		.on("resumed", () => say("found the relay, nothing was lost"))
		.on("away", (reason) => say(`${title}: ${reason}; waiting for the guest to come back`))
		.on("returned", () => say(`${title} is back: its guest has rebooted`))
		.on("restarted", () => say("the console begins anew"))
		.on("gap", (bytes) => say(`${bytes} bytes are no longer kept`))
		.on("input-dropped", (bytes) => say(`${bytes} bytes of input were not taken`))
		.on("ended", (reason) => say(`${title} ended: ${reason}`));
}

/** Copies until the console has ended or the session is left. @throws what the session failed with */
async function copyOutput(
	session: ConsoleSession,
	stdout: NodeJS.WritableStream,
	onChunk: (chunk: Uint8Array) => void,
): Promise<void> {
	const over = finished(session, { writable: false, cleanup: true }).catch((error: unknown) => {
		if (!isPrematureClose(error)) throw error;
	});
	session.on("data", (chunk: unknown) => {
		const isTaken = stdout.write(chunk as Buffer);
		onChunk(chunk as Buffer);
		if (isTaken || session.destroyed) return;
		session.pause();
		void once(stdout, "drain").then(() => session.resume());
	});
	await over;
}

/** The session was left from here: that is no failure. */
function isPrematureClose(error: unknown): boolean {
	return error instanceof Error && "code" in error && error.code === "ERR_STREAM_PREMATURE_CLOSE";
}

function endedTooSoon(title: string): BulkheadError {
	return new BulkheadError("console-ended", `The text did not come before ${title} ended`);
}
