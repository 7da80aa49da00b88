import type { Duplex } from "node:stream";
import { ProtocolError, withDeadline } from "@bulkhead/base";
import { encodeMessage, type Message } from "../wire/message.ts";
import { MessageParser } from "../wire/message-parser.ts";
import { OPERATION, type Operation } from "../wire/operations.ts";
import { decodeStrings, encodeStrings } from "../wire/payload.ts";

const ANSWER_TIMEOUT_MS = 20_000;

/**
 * The protocol by hand, for what a well-behaved client never sends. Checks nothing before it sends. One question at a
 * time.
 */
export class RawConnection {
	readonly stream: Duplex;
	readonly #parser: MessageParser;
	readonly #messages: Message[] = [];
	#isOver = false;
	#wake: (() => void) | undefined;
	#lastId = 0;

	constructor(stream: Duplex, limits?: { payloadBytes: number }) {
		this.stream = stream;
		this.#parser = new MessageParser(limits);
		stream.on("data", (chunk: Buffer) => {
			this.#parser.push(chunk, (message) => this.#messages.push(message));
			this.#wake?.();
		});
		const end = (): void => {
			this.#isOver = true;
			this.#wake?.();
		};
		stream.on("error", end);
		stream.on("end", end);
		stream.on("close", end);
	}

	/** The reply's strings, or the errno's name: `["OK"]`, `["ENOENT"]`. Events that come first are left for `take`. */
	async ask(
		operation: Operation | number,
		strings: readonly (string | number)[] | Uint8Array,
		transactionId = 0,
	): Promise<string[]> {
		const requestId = ++this.#lastId;
		const payload = strings instanceof Uint8Array ? Buffer.from(strings) : encodeStrings(...strings);
		const type = typeof operation === "number" ? operation : OPERATION[operation];
		this.send(encodeMessage({ type, requestId, transactionId, payload }));
		const reply = await this.take((message) => message.type !== OPERATION.WATCH_EVENT);
		if (reply.requestId !== requestId) throw new ProtocolError(`Reply is to ${reply.requestId} and not ${requestId}`);
		return decodeStrings(reply.payload);
	}

	send(bytes: Uint8Array): void {
		this.stream.write(bytes);
	}

	/** The first message of that sort that has not been taken. @throws DeadlineError; ProtocolError when the server ends it */
	take(wanted: (message: Message) => boolean = () => true): Promise<Message> {
		return withDeadline(this.#find(wanted), { timeoutMs: ANSWER_TIMEOUT_MS, what: "xenstored's answer" });
	}

	/** Strings of the watch events that have arrived, each `path token`. */
	takeEvents(): string[] {
		const events = this.#messages.filter(({ type }) => type === OPERATION.WATCH_EVENT);
		for (const event of events) this.#messages.splice(this.#messages.indexOf(event), 1);
		return events.map(({ payload }) => decodeStrings(payload).join(" "));
	}

	/** Waits until the server has ended the connection. @throws DeadlineError */
	async ended(): Promise<void> {
		await withDeadline(this.#awaitEnd(), { timeoutMs: ANSWER_TIMEOUT_MS, what: "the end of the connection" });
	}

	close(): void {
		this.stream.destroy();
	}

	async #find(wanted: (message: Message) => boolean): Promise<Message> {
		for (;;) {
			const at = this.#messages.findIndex(wanted);
			const [message] = at < 0 ? [] : this.#messages.splice(at, 1);
			if (message) return message;
			if (this.#isOver) throw new ProtocolError("xenstored ended the connection");
			await this.#change();
		}
	}

	async #awaitEnd(): Promise<void> {
		while (!this.#isOver) await this.#change();
	}

	#change(): Promise<void> {
		return new Promise((resolve) => {
			this.#wake = resolve;
		});
	}
}
