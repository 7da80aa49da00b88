import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { delay, errnoOf, ProtocolError, withDeadline } from "@bulkhead/base";
import { encodeMessage, type Message } from "../../wire/message.ts";
import { MessageParser } from "../../wire/message-parser.ts";
import { OPERATION, type Operation } from "../../wire/operations.ts";
import { decodeText } from "../../wire/payload.ts";

/** What a request came to. */
export type Answer = { errno: string } | { payload: string };

export interface WatchEvent {
	path: string;
	token: string;
}

const TIMEOUT_MS = 10_000;

/**
 * A client without any judgement: it sends what it is told to, bad paths, foreign transactions and unknown requests
 * included, and hands back what the server says. Text is one character for each byte.
 */
export class WireClient {
	/** Not taken yet, in the order of their coming. */
	readonly events: WatchEvent[] = [];
	readonly #stream: Duplex;
	readonly #parser = new MessageParser();
	readonly #pending = new Map<number, (answer: Answer) => void>();
	readonly #ended: Promise<never>;
	#lastId = 0;

	/** To a unix socket. @throws DeadlineError, and what `connect` fails with */
	static async open(path: string): Promise<WireClient> {
		const deadline = performance.now() + TIMEOUT_MS;
		for (;;) {
			try {
				return new WireClient(await connectOnce(path));
			} catch (error) {
				// xenstored lets one client wait at its door; the next one is told to come again.
				if (errnoOf(error) !== "EAGAIN" || performance.now() > deadline) throw error;
				await delay(1);
			}
		}
	}

	constructor(stream: Duplex) {
		this.#stream = stream;
		this.#ended = new Promise((_, reject) => {
			stream.on("error", reject);
			stream.once("close", () => reject(new ProtocolError("The server has ended the connection")));
			stream.on("data", (chunk: Buffer) => {
				try {
					this.#parser.push(chunk, (message) => this.#receive(message));
				} catch (error) {
					reject(error);
				}
			});
		});
		this.#ended.catch(() => {});
	}

	/** @throws DeadlineError without an answer; ProtocolError when the connection ends or breaks */
	async ask(operation: Operation | number, payload: string, transactionId = 0): Promise<Answer> {
		const type = typeof operation === "number" ? operation : OPERATION[operation];
		const requestId = ++this.#lastId;
		const answer = new Promise<Answer>((resolve) => {
			this.#pending.set(requestId, resolve);
		});
		this.#stream.write(encodeMessage({ type, requestId, transactionId, payload: Buffer.from(payload, "latin1") }));
		const what = `the answer to request ${type}`;
		return withDeadline(Promise.race([answer, this.#ended]), { timeoutMs: TIMEOUT_MS, what });
	}

	/** Events that others have caused before this call. */
	async settle(): Promise<WatchEvent[]> {
		await this.ask("GET_DOMAIN_PATH", "0\0");
		return this.events.splice(0);
	}

	/** Settles when the server has ended the connection. */
	async closed(): Promise<void> {
		const ended = this.#ended.catch(() => {});
		await withDeadline(ended, { timeoutMs: TIMEOUT_MS, what: "the end of the connection" });
	}

	/** Bytes as they are, for what no client should send. */
	sendRaw(bytes: Uint8Array): void {
		this.#stream.write(bytes);
	}

	close(): void {
		this.#stream.destroy();
	}

	#receive({ type, requestId, payload }: Message): void {
		if (type === OPERATION.WATCH_EVENT) {
			const [path = "", token = ""] = payload.toString("latin1").split("\0");
			this.events.push({ path, token });
			return;
		}
		const resolve = this.#pending.get(requestId);
		this.#pending.delete(requestId);
		resolve?.(type === OPERATION.ERROR ? { errno: decodeText(payload) } : { payload: payload.toString("latin1") });
	}
}

async function connectOnce(path: string): Promise<Socket> {
	const socket = connect({ path });
	const connected = new Promise<void>((resolve, reject) => {
		socket.once("connect", resolve);
		socket.once("error", reject);
	});
	try {
		await withDeadline(connected, { timeoutMs: TIMEOUT_MS, what: `the connection to ${path}` });
		return socket;
	} catch (error) {
		socket.destroy();
		throw error;
	}
}
