import { once } from "node:events";
import { finished } from "node:stream/promises";
import { BulkheadError, printable } from "@bulkhead/base";
import type { ConsoleSession } from "@bulkhead/console";
import type { CommandContext } from "../command-context.ts";
import { listenForStop } from "../stopping.ts";
import { TextFinder } from "./text-finder.ts";

/** Ctrl-], which detaches as in xl. */
const ESCAPE = 0x1d;

/**
 * Joins standard input and output with a console's session. A terminal is put into raw mode and set back on every path.
 * Input that is no terminal may end (`echo reboot | bulkhead console web`): output goes on. With `until`, the first
 * output that has this text is the last.
 * @throws BulkheadError `console-ended` when the text did not come
 */
export async function connectTerminal(
	{ io, note }: CommandContext,
	session: ConsoleSession,
	{ title, until }: { title: string; until?: string },
): Promise<number | undefined> {
	const { stdin, stdout } = io;
	const finder = until === undefined ? undefined : new TextFinder(until);
	const isTerminal = stdin.isTTY === true && stdin.setRawMode !== undefined;
	const stopping = listenForStop(io);
	const say = (text: string): void => note(`${isTerminal ? "\r" : ""}[${printable(text)}]${isTerminal ? "\r" : ""}`);
	let left = false;
	const leave = (): void => {
		left = true;
		session.destroy();
	};
	const onInput = (chunk: Buffer): void => {
		const at = isTerminal ? chunk.indexOf(ESCAPE) : -1;
		const bytes = at === -1 ? chunk : chunk.subarray(0, at);
		if (bytes.length > 0 && !session.write(bytes)) {
			stdin.pause();
			session.once("drain", () => stdin.resume());
		}
		if (at !== -1) leave();
	};
	session
		.on("lost", () => say("lost the relay, looking for it"))
		.on("resumed", () => say("found the relay, nothing was lost"))
		.on("restarted", () => say("the console begins anew"))
		.on("gap", (bytes) => say(`${bytes} bytes are no longer kept`))
		.on("input-dropped", (bytes) => say(`${bytes} bytes of input were not taken`))
		.on("ended", (reason) => say(`${title} ended: ${reason}`));
	if (isTerminal) say(`${title}; Ctrl-] detaches`);
	stopping.asked.addEventListener("abort", leave, { once: true });
	try {
		if (isTerminal) stdin.setRawMode?.(true);
		stdin.on("data", onInput);
		await copyOutput(session, stdout, (chunk) => {
			if (finder?.push(chunk)) leave();
		});
		if (finder && !finder.found && !left) throw endedTooSoon(title);
	} finally {
		stopping.end();
		stdin.off("data", onInput);
		stdin.pause();
		if (isTerminal) stdin.setRawMode?.(false);
		session.destroy();
	}
	return stopping.exitCode();
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
