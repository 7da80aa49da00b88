import { once } from "node:events";
import type { Lab } from "../../../src/lab.ts";
import { eventually } from "./dom0.ts";

const ANSWER_MS = 60_000;

/** A client of a socket in dom0, its bytes carried by socat: it stays until all that it waits for has come. */
export interface Conversation {
	say(text: string): void;
	/** All that came so far, once it satisfies. */
	until(what: string, satisfies: (heard: Buffer) => boolean): Promise<Buffer>;
}

/** Connects to a place in socat's words (`UNIX-CONNECT:…`), and hangs up however `talk` ends. */
export async function converse<T>(lab: Lab, place: string, talk: (with_: Conversation) => Promise<T>): Promise<T> {
	const child = lab.spawn(["socat", "-t", "1", "-", place]);
	const ended = once(child, "close");
	const heard: Buffer[] = [];
	child.stdout?.on("data", (chunk: Buffer) => heard.push(chunk));
	child.stdin?.on("error", () => {}); // the far end hung up: `until` says what was missed
	try {
		return await talk({
			say: (text) => void child.stdin?.write(text, "latin1"),
			until: (what, satisfies) =>
				eventually(
					what,
					async () => {
						const all = Buffer.concat(heard);
						return satisfies(all) ? all : undefined;
					},
					ANSWER_MS,
				),
		});
	} finally {
		child.stdin?.end();
		await ended;
	}
}

export type QmpMessage = Record<string, unknown>;

/** Says QMP commands, each with its name as its id, and answers all that came by the time each was answered. */
export async function sayQmp(peer: Conversation, ...commands: string[]): Promise<QmpMessage[]> {
	for (const execute of commands) peer.say(`${JSON.stringify({ execute, id: execute })}\r\n`);
	const heard = await peer.until(`answers to ${commands.join(", ")}`, (bytes) => {
		const ids = new Set(messagesIn(bytes).map(({ id }) => id));
		return commands.every((command) => ids.has(command));
	});
	return messagesIn(heard);
}

/** The whole lines of what came, each ended by CR LF as QEMU ends them. */
export function messagesIn(heard: Buffer): QmpMessage[] {
	const lines = heard.toString().split("\r\n").slice(0, -1);
	return lines.filter(Boolean).map((line) => JSON.parse(line) as QmpMessage);
}
