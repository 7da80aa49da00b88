import type { Duplex } from "node:stream";
import { AsyncQueue, CancelledError, InvalidInputError, ProtocolError, withDeadline } from "@bulkhead/base";
import { QmpConnectionError, QmpError } from "./errors.ts";
import { LIMITS } from "./limits.ts";
import { LineSplitter } from "./wire/line-splitter.ts";
import { formatCommand, parseMessage, type QmpEvent, type QmpMessage, type QmpVersion } from "./wire/message.ts";

export interface OpenQmpClient {
	/** Greeting and negotiation together. A lost greeting is made good by connecting anew. Default 10 s. */
	greetingTimeoutMs?: number;
	signal?: AbortSignal;
	/** Receives each event at once. Without it they wait in `events()`. */
	onEvent?: (event: QmpEvent) => void;
}

export interface ExecuteOptions {
	/** Default 10 s. */
	timeoutMs?: number;
	signal?: AbortSignal;
	/** Out of band: answered while another command runs. Few commands allow it: OOB_COMMANDS. */
	oob?: boolean;
}

export interface QmpStats {
	commands: number;
	events: number;
	/** Events that found the queue full. */
	droppedEvents: number;
	/** Messages before the greeting, left from an earlier session. */
	staleMessages: number;
}

type Greeting = Extract<QmpMessage, { kind: "greeting" }>;
type Reply = Extract<QmpMessage, { kind: "return" | "error" }>;

const DEFAULT_TIMEOUT_MS = 10_000;
const COMMAND_NAME = /^[A-Za-z0-9_-]{1,128}$/;

/**
 * A session with QEMU's monitor over any stream of bytes. Commands may overlap. The peer is not trusted: whatever
 * breaks the protocol ends the session, and all that waits for an answer fails with it.
 */
export class QmpClient implements AsyncDisposable {
	readonly stats: QmpStats = { commands: 0, events: 0, droppedEvents: 0, staleMessages: 0 };
	readonly #stream: Duplex;
	readonly #onEvent: ((event: QmpEvent) => void) | undefined;
	readonly #events = new AsyncQueue<QmpEvent>({ limit: LIMITS.queuedEvents });
	readonly #lines = new LineSplitter(LIMITS.messageBytes);
	readonly #pending = new Map<number, { resolve: (reply: Reply) => void; reject: (error: unknown) => void }>();
	readonly #abandoned = new Set<number>();
	readonly #closeListeners = new Set<(error: QmpConnectionError) => void>();
	readonly #greeted: Promise<Greeting>;
	#greet: { resolve: (greeting: Greeting) => void; reject: (error: unknown) => void } | undefined;
	#version: QmpVersion = { major: -1, minor: -1, micro: -1, package: "" };
	#hasOob = false;
	#lastId = 0;
	#end: QmpConnectionError | undefined;

	/**
	 * Takes the stream over: it is destroyed when the session ends or cannot begin.
	 * @throws DeadlineError when no greeting comes; ProtocolError; QmpConnectionError; CancelledError
	 */
	static async open(stream: Duplex, options: OpenQmpClient = {}): Promise<QmpClient> {
		const { greetingTimeoutMs = DEFAULT_TIMEOUT_MS, signal } = options;
		const client = new QmpClient(stream, options);
		try {
			await withDeadline(client.#negotiate(), { timeoutMs: greetingTimeoutMs, signal, what: "QEMU's greeting" });
			return client;
		} catch (error) {
			client.close();
			throw error instanceof QmpConnectionError && error.cause instanceof ProtocolError ? error.cause : error;
		}
	}

	private constructor(stream: Duplex, { onEvent }: OpenQmpClient) {
		this.#stream = stream;
		this.#onEvent = onEvent;
		this.#greeted = new Promise((resolve, reject) => {
			this.#greet = { resolve, reject };
		});
		stream.on("data", (chunk: Uint8Array) => this.#receive(chunk));
		stream.on("error", (error) => this.#finish("The QMP session broke", error));
		stream.on("end", () => this.#finish("QEMU ended the QMP session"));
		stream.on("close", () => this.#finish("QEMU ended the QMP session"));
	}

	/** What QEMU says of itself. */
	get version(): QmpVersion {
		return this.#version;
	}

	/** Why the session is over, if it is. */
	get ended(): QmpConnectionError | undefined {
		return this.#end;
	}

	/**
	 * QEMU's return value, unchecked: see `@bulkhead/qmp/commands` for typed ones. After a deadline or an abort QEMU may
	 * still carry the command out; its answer is then ignored.
	 * @throws QmpError, QmpConnectionError, DeadlineError, CancelledError, InvalidInputError
	 */
	async execute(
		command: string,
		args?: Record<string, unknown>,
		{ timeoutMs = DEFAULT_TIMEOUT_MS, signal, oob = false }: ExecuteOptions = {},
	): Promise<unknown> {
		if (!COMMAND_NAME.test(command)) throw new InvalidInputError("Text is not the name of a QMP command");
		if (this.#end) throw this.#end;
		if (oob && !this.#hasOob) throw new InvalidInputError("This QEMU takes no commands out of band");
		if (signal?.aborted) throw new CancelledError(`Stopped before ${command} was given`, { cause: signal.reason });
		const id = ++this.#lastId;
		const line = formatCommand(command, args, id, { oob });
		if (line.length > LIMITS.messageBytes) throw new InvalidInputError(`Command ${command} is too long for QMP`);
		const answered = new Promise<Reply>((resolve, reject) => {
			this.#pending.set(id, { resolve, reject });
		});
		this.stats.commands++;
		this.#stream.write(line);
		try {
			const reply = await withDeadline(answered, { timeoutMs, signal, what: `QEMU's answer to ${command}` });
			if (reply.kind === "return") return reply.value;
			throw new QmpError(command, reply.error);
		} finally {
			if (this.#pending.delete(id)) this.#abandon(id);
		}
	}

	/** Events that no `onEvent` took, from the session's beginning. For one consumer; ends with the session. */
	events(): AsyncIterable<QmpEvent> {
		return this.#events;
	}

	/** Calls the listener once when the session ends, with the reason; soon, when it has ended. */
	onClose(listener: (error: QmpConnectionError) => void): () => void {
		const { ended } = this;
		if (ended) queueMicrotask(() => listener(ended));
		else this.#closeListeners.add(listener);
		return () => {
			this.#closeListeners.delete(listener);
		};
	}

	/** Ends the session here. Safe to repeat. */
	close(): void {
		this.#finish("The QMP session was closed here");
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.close();
	}

	async #negotiate(): Promise<void> {
		const { version, capabilities } = await this.#greeted;
		this.#version = version;
		const hasOob = capabilities.includes("oob");
		// Its own deadline is the whole negotiation's, outside.
		await this.execute("qmp_capabilities", hasOob ? { enable: ["oob"] } : undefined, { timeoutMs: 2 ** 30 });
		this.#hasOob = hasOob;
	}

	#receive(chunk: Uint8Array): void {
		if (this.#end) return;
		try {
			this.#lines.push(chunk, (line) => this.#handleLine(line));
		} catch (error) {
			this.#finish("QEMU broke the QMP protocol", error);
		}
	}

	#handleLine(line: string): void {
		if (this.#end || line.trim() === "") return;
		if (this.#greet) this.#handleEarly(line, this.#greet);
		else this.#handle(parseMessage(line));
	}

	/** A stream that had another session before may still hold its last messages, the first of them cut. */
	#handleEarly(line: string, { resolve }: { resolve: (greeting: Greeting) => void }): void {
		const greeting = findGreeting(line);
		if (greeting) {
			this.#greet = undefined;
			resolve(greeting);
		} else if (++this.stats.staleMessages > LIMITS.messagesBeforeGreeting) {
			throw new ProtocolError("QEMU talks without a greeting");
		}
	}

	#handle(message: QmpMessage): void {
		if (message.kind === "greeting") throw new ProtocolError("QEMU greets a second time");
		if (message.kind === "event") this.#handleEvent(message);
		else this.#handleReply(message);
	}

	#handleReply(reply: Reply): void {
		const pending = this.#pending.get(reply.id);
		if (pending) {
			this.#pending.delete(reply.id);
			pending.resolve(reply);
		} else if (!this.#abandoned.delete(reply.id)) {
			throw new ProtocolError("QEMU answers a command that was not given");
		}
	}

	#handleEvent({ event, data, timestamp }: QmpEvent): void {
		this.stats.events++;
		const received = { event, data, timestamp };
		const onEvent = this.#onEvent;
		// In a turn of its own: what the listener throws is no fault of QEMU's.
		if (onEvent) queueMicrotask(() => onEvent(received));
		else if (!this.#events.push(received)) this.stats.droppedEvents++;
	}

	/** One answer to it may still come. A QEMU that owes too many is given up. */
	#abandon(id: number): void {
		if (this.#end) return;
		this.#abandoned.add(id);
		if (this.#abandoned.size > LIMITS.abandonedCommands) this.#finish("QEMU answers no more");
	}

	#finish(message: string, cause?: unknown): void {
		if (this.#end) return;
		const error = new QmpConnectionError(message, {
			cause,
			remedy: "Connect again; if QEMU is gone, its guest has to be restarted",
		});
		this.#end = error;
		this.#stream.destroy();
		this.#greet?.reject(error);
		for (const { reject } of this.#pending.values()) reject(error);
		this.#pending.clear();
		this.#abandoned.clear();
		this.#events.close();
		for (const listener of this.#closeListeners) listener(error);
		this.#closeListeners.clear();
	}
}

function findGreeting(line: string): Greeting | undefined {
	try {
		const message = parseMessage(line);
		return message.kind === "greeting" ? message : undefined;
	} catch {
		return undefined;
	}
}
