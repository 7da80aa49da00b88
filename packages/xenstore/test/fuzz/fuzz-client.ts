import { once } from "node:events";
import type { Duplex } from "node:stream";
import { withDeadline } from "@bulkhead/base";
import { decodeText, encodeMessage, type Message, MessageParser, OPERATION } from "../../src/wire/index.ts";
import { ERRNOS, expectedErrno } from "./expected-errno.ts";
import type { Frame } from "./make-frames.ts";

const TIMEOUT_MS = 20_000;

/** A client that checks what it is answered. */
export class FuzzClient {
	readonly isUnprivileged: boolean;
	readonly stream: Duplex;
	readonly #parser = new MessageParser();
	readonly #pending = new Map<number, Frame>();
	#failure: Error | undefined;
	#wake: (() => void) | undefined;

	constructor(stream: Duplex, isUnprivileged: boolean) {
		this.stream = stream;
		this.isUnprivileged = isUnprivileged;
		stream.on("error", () => {});
		stream.on("close", () => this.#wake?.());
		stream.on("data", (chunk: Buffer) => {
			try {
				this.#parser.push(chunk, (message) => this.#receive(message));
			} catch (error) {
				this.#failure = error as Error;
			}
			if (this.#pending.size === 0 || this.#failure) this.#wake?.();
		});
	}

	get isClosed(): boolean {
		return this.stream.destroyed;
	}

	send(frames: readonly Frame[]): void {
		for (const frame of frames) this.#pending.set(frame.requestId, frame);
		this.stream.write(Buffer.concat(frames.map(encodeMessage)));
	}

	/** Every request has its one answer, the right one as far as that can be told; or the server has ended it all. */
	async answered(): Promise<void> {
		while (this.#pending.size > 0 && !this.isClosed && !this.#failure) {
			const woken = new Promise<void>((resolve) => {
				this.#wake = resolve;
			});
			await withDeadline(woken, { timeoutMs: TIMEOUT_MS, what: `the answers to ${this.#pending.size} requests` });
		}
		if (this.#failure) throw this.#failure;
	}

	/** The server ends the connection by itself. */
	async ended(): Promise<void> {
		if (this.isClosed) return;
		await withDeadline(once(this.stream, "close"), { timeoutMs: TIMEOUT_MS, what: "the end of a broken connection" });
	}

	#receive({ type, requestId, transactionId, payload }: Message): void {
		if (type === OPERATION.WATCH_EVENT) return;
		const frame = this.#pending.get(requestId);
		this.#pending.delete(requestId);
		if (!frame) {
			this.#fail(`An answer to nothing, id ${requestId}`);
			return;
		}
		if (transactionId !== frame.transactionId) this.#fail("An answer names another transaction", frame);
		const errno = type === OPERATION.ERROR ? decodeText(payload) : undefined;
		if (errno === undefined && type !== frame.type) this.#fail(`An answer of type ${type}`, frame);
		if (errno !== undefined && !ERRNOS.has(errno)) this.#fail(`The errno ${errno}`, frame);
		const expected = expectedErrno(frame, this.isUnprivileged);
		if (expected !== undefined && expected !== errno) this.#fail(`Answer ${errno} instead of ${expected}`, frame);
	}

	#fail(what: string, frame?: Frame): void {
		const asked =
			frame && `: ${frame.type} in ${frame.transactionId} with ${JSON.stringify(frame.payload.toString("latin1"))}`;
		this.#failure ??= new Error(`${what}${asked ?? ""}`);
	}
}
