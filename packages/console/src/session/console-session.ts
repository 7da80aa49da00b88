import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { DeadlineError, delay, ProtocolError } from "@bulkhead/base";
import { dialRelay } from "./dial-relay.ts";
import { readFirstLine } from "./first-line.ts";
import { type Frame, FrameParser } from "./frames.ts";
import type { ConsoleSessionEvents, OpenConsoleSession } from "./open-console-session.ts";
import { PendingInput } from "./pending-input.ts";
import { parseAnswer, type SessionAnswer, type SessionRequest } from "./session-lines.ts";

const INPUT_WINDOW_BYTES = 16 * 1024;
const RETRY_MS = { first: 50, most: 500 } as const;

/**
 * A client of the framed console socket as a duplex stream: read the console's output, write input. When the relay
 * dies, the session looks for the next one and goes on at the byte where it was, both ways: output by its offset in the
 * stream, input by the count that the guest's own ring keeps. Only when that fails for `resumeTimeoutMs` the stream
 * fails, with a DeadlineError. `finish` of the writable side means that the guest's ring has taken everything.
 */
export class ConsoleSession extends Duplex {
	readonly #options: Required<Omit<OpenConsoleSession, "signal" | "comesBack">> & Pick<OpenConsoleSession, "comesBack">;
	readonly #stop = new AbortController();
	readonly #pending = new PendingInput();
	#socket: Socket | undefined;
	#parser = new FrameParser();
	#answer: SessionAnswer | undefined;
	#offset = 0;
	#acknowledged = 0;
	#endAtStart = 0;
	#writer = false;
	#waiting: { when: number; callback: () => void } | undefined;
	#over = false;

	/** @throws BulkheadError `no-such-console`, `relay-unreachable`; DeadlineError; CancelledError */
	static async open(options: OpenConsoleSession): Promise<ConsoleSession> {
		const session = new ConsoleSession(options);
		const onAbort = (): void => void session.destroy();
		options.signal?.addEventListener("abort", onAbort, { once: true });
		session.once("close", () => options.signal?.removeEventListener("abort", onAbort));
		try {
			options.signal?.throwIfAborted();
			await session.#connect();
			return session;
		} catch (error) {
			session.destroy();
			throw error;
		}
	}

	private constructor(options: OpenConsoleSession) {
		super({ allowHalfOpen: true, emitClose: true });
		this.#options = {
			socketPath: options.socketPath,
			guest: options.guest,
			console: options.console,
			from: options.from ?? "live",
			input: options.input ?? true,
			connectTimeoutMs: options.connectTimeoutMs ?? 5000,
			resumeTimeoutMs: options.resumeTimeoutMs ?? 30_000,
			comesBack: options.comesBack,
		};
	}

	/** This client's input is taken. */
	get writer(): boolean {
		return this.#writer;
	}

	/** The console's newest byte when the session was opened had the offset before this. */
	get endAtStart(): number {
		return this.#endAtStart;
	}

	/** Offset in the console's stream of the next byte to come. */
	get offset(): number {
		return this.#offset;
	}

	override on<E extends keyof ConsoleSessionEvents>(
		event: E,
		listener: (...args: ConsoleSessionEvents[E]) => void,
	): this;
	override on(event: string | symbol, listener: (...args: unknown[]) => void): this;
	override on(event: string | symbol, listener: (...args: never[]) => void): this {
		return super.on(event, listener as (...args: unknown[]) => void);
	}

	override _read(): void {
		this.#socket?.resume();
	}

	override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
		if (this.#over || (this.#socket && !this.#writer)) {
			this.emit("input-dropped", chunk.length);
			callback();
			return;
		}
		const bytes = Uint8Array.from(chunk);
		this.#pending.add(bytes);
		this.#socket?.write(bytes);
		this.#await(INPUT_WINDOW_BYTES, callback);
	}

	override _final(callback: (error?: Error | null) => void): void {
		this.#await(0, callback);
	}

	override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
		this.#over = true;
		this.#stop.abort();
		this.#socket?.destroy();
		this.#socket = undefined;
		callback(error);
	}

	/** Calls back when at most `bytes` of input are on their way. */
	#await(bytes: number, callback: () => void): void {
		if (this.#over || this.#pending.bytes <= bytes) callback();
		else this.#waiting = { when: bytes, callback };
	}

	#moved(): void {
		const waiting = this.#waiting;
		if (!waiting || this.#pending.bytes > waiting.when) return;
		this.#waiting = undefined;
		waiting.callback();
	}

	async #connect(): Promise<void> {
		const { socketPath, guest, connectTimeoutMs: timeoutMs, input } = this.#options;
		const socket = await dialRelay(socketPath, { timeoutMs, signal: this.#stop.signal });
		try {
			const before = this.#answer;
			const request: SessionRequest = before
				? { guest, console: this.#options.console, from: this.#offset, stream: before.stream, input }
				: { guest, console: this.#options.console, from: this.#options.from, input };
			socket.write(`${JSON.stringify(request)}\n`);
			const wait = { timeoutMs, signal: this.#stop.signal, what: "the relay's answer" };
			const { line, rest } = await readFirstLine(socket, wait);
			this.#attached(socket, parseAnswer(line), rest);
		} catch (error) {
			socket.destroy();
			throw error;
		}
	}

	#attached(socket: Socket, answer: SessionAnswer, rest: Uint8Array): void {
		const before = this.#answer;
		if (!before) this.#endAtStart = answer.end;
		this.#answer = answer;
		this.#socket = socket;
		this.#parser = new FrameParser();
		this.#offset = answer.offset;
		if (before && before.stream !== answer.stream) this.emit("restarted");
		this.#resumeInput(before, answer);
		socket.on("data", (chunk) => this.#receive(chunk));
		socket.on("end", () => socket.destroy());
		socket.on("close", () => this.#gone(socket));
		if (rest.length > 0) socket.unshift(rest);
		// One turn later: whoever awaits `open` gets to listen first.
		setImmediate(() => {
			if (socket.destroyed) this.#gone(socket);
			else socket.resume();
		});
	}

	/** Only the same ring, with the seat still ours, tells how much of the input had arrived. */
	#resumeInput(before: SessionAnswer | undefined, answer: SessionAnswer): void {
		const arrived = (answer.inputOffset - this.#acknowledged) >>> 0;
		const known = before?.ring === answer.ring && answer.writer && this.#pending.drop(arrived);
		if (!known) this.#dropInput();
		this.#acknowledged = answer.inputOffset;
		this.#setWriter(answer.writer);
		for (const part of this.#pending.parts()) this.#socket?.write(part);
		this.#moved();
	}

	#receive(chunk: Uint8Array): void {
		try {
			for (const frame of this.#parser.push(chunk)) this.#take(frame);
		} catch (error) {
			this.#fail(error);
		}
	}

	#take(frame: Frame): void {
		switch (frame.type) {
			case "data":
				this.#offset += frame.bytes.length;
				if (!this.push(frame.bytes)) this.#socket?.pause();
				break;
			case "gap":
				this.#offset += frame.count;
				this.emit("gap", frame.count);
				break;
			case "acknowledged":
				if (!this.#pending.drop(Math.max(0, frame.count - this.#acknowledged)))
					throw new ProtocolError("Relay acknowledged input that was never sent");
				this.#acknowledged = frame.count;
				this.#moved();
				break;
			case "writer":
				this.#acknowledged = frame.count;
				this.#setWriter(true);
				break;
			case "ended":
				this.#ended(frame.reason);
				break;
		}
	}

	#ended(reason: string): void {
		const { comesBack } = this.#options;
		if (!comesBack) {
			this.#end(reason);
			return;
		}
		const socket = this.#socket;
		this.#socket = undefined;
		socket?.destroy();
		this.#dropInput();
		this.#moved();
		this.emit("away", reason);
		comesBack(reason, this.#stop.signal)
			.then(async (isBack) => {
				if (this.destroyed) return;
				if (isBack) {
					await this.#resume();
					this.emit("returned");
				} else this.#end(reason);
			})
			.catch((error: unknown) => this.#fail(error));
	}

	#end(reason: string): void {
		this.#over = true;
		this.emit("ended", reason);
		this.push(null);
		this.#dropInput();
		this.#moved();
		this.#socket?.destroy();
	}

	#gone(socket: Socket): void {
		if (this.#over || this.#socket !== socket) return;
		this.#socket = undefined;
		this.emit("lost");
		this.#resume().then(
			() => this.emit("resumed"),
			(error: unknown) => this.#fail(error),
		);
	}

	#fail(error: unknown): void {
		if (!this.destroyed) this.destroy(error instanceof Error ? error : new Error(String(error)));
	}

	async #resume(): Promise<void> {
		const deadline = Date.now() + this.#options.resumeTimeoutMs;
		let pauseMs: number = RETRY_MS.first;
		let last: unknown;
		while (Date.now() < deadline) {
			await delay(Math.min(pauseMs, Math.max(0, deadline - Date.now())), this.#stop.signal);
			pauseMs = Math.min(pauseMs * 2, RETRY_MS.most);
			try {
				await this.#connect();
				return;
			} catch (error) {
				if (this.#stop.signal.aborted || error instanceof ProtocolError) throw error;
				last = error;
			}
		}
		throw new DeadlineError(`Lost the console of guest ${this.#options.guest}`, {
			remedy: "See whether bulkhead-relay and bulkheadd run, then open the console again",
			cause: last,
		});
	}

	#setWriter(may: boolean): void {
		if (this.#writer === may) return;
		this.#writer = may;
		this.emit("writer", may);
	}

	#dropInput(): void {
		const bytes = this.#pending.clear();
		if (bytes > 0) this.emit("input-dropped", bytes);
	}
}
