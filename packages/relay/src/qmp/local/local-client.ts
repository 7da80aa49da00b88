import type { Socket } from "node:net";
import { BulkheadError, TokenBucket } from "@bulkhead/base";
import { QmpError, type QmpVersion } from "@bulkhead/qmp";
import type { QmpAsker } from "../qmp-audit.ts";
import type { QmpEvent } from "../qmp-dialer.ts";
import type { QmpCommand, QmpPolicy, QmpRole } from "../qmp-policy.ts";
import { formatMessage } from "./format-message.ts";
import { JsonSplitter } from "./json-splitter.ts";
import { BadRequestError, type LocalRequest, parseLocalRequest } from "./local-request.ts";

export interface LocalClientOptions {
	socket: Socket;
	/** Among the clients of this relay. */
	number: number;
	role: QmpRole;
	policy: QmpPolicy;
	version: QmpVersion;
	execute: (command: QmpCommand & QmpAsker) => Promise<unknown>;
	/** The client does not read, or its bytes are no text: it was let go. */
	onDropped: (reason: string) => void;
}

/** A command's other members take no more than this above its arguments. */
const OVERHEAD_BYTES = 8 * 1024;
/** Clients of QMP have no deadlines of their own. */
const COMMAND_MS = 10 * 60_000;
/** Unread answers above which a client is let go, and above which it gets no events any more. */
const UNREAD_BYTES = 4 * 1024 * 1024;
const UNREAD_EVENT_BYTES = 512 * 1024;

/**
 * One client of a guest's QMP socket, which finds a QEMU of its own there: greeting, negotiation, answers in the order of
 * its commands, those out of band as they come. Ids are its own affair. Nobody waits for it.
 */
export class LocalClient {
	readonly #options: LocalClientOptions;
	readonly #splitter: JsonSplitter;
	readonly #rate: TokenBucket;
	/** What came beyond the commands in flight: less than one chunk, as the socket is paused meanwhile. */
	readonly #waiting: string[] = [];
	#isNegotiated = false;
	#hasOob = false;
	#inFlight = 0;
	#answers: Promise<void> = Promise.resolve();

	constructor(options: LocalClientOptions) {
		this.#options = options;
		const { socket, policy, version } = options;
		this.#splitter = new JsonSplitter(policy.argumentBytes + OVERHEAD_BYTES);
		this.#rate = new TokenBucket(policy.client);
		socket.on("error", () => {}); // "close" follows
		socket.on("data", (chunk) => this.#receive(chunk));
		const { major, minor, micro, package: build } = version;
		this.#send({ QMP: { version: { qemu: { micro, minor, major }, package: build }, capabilities: ["oob"] } });
	}

	/** A client that has much unread is let go: events are not to be lost silently. */
	tell({ event, data, timestamp }: QmpEvent): void {
		if (!this.#isNegotiated) return;
		if (this.#options.socket.writableLength > UNREAD_EVENT_BYTES) {
			this.#drop("it does not read its events");
			return;
		}
		const ms = timestamp ?? -1000;
		this.#send({
			timestamp: { seconds: Math.floor(ms / 1000), microseconds: (ms % 1000) * 1000 || 0 },
			event,
			...(data === undefined ? {} : { data }),
		});
	}

	close(): void {
		this.#options.socket.destroy();
	}

	#receive(chunk: Uint8Array): void {
		try {
			this.#splitter.push(chunk, (text) => this.#waiting.push(text));
		} catch {
			this.#drop("its commands are too long, or no UTF-8");
			return;
		}
		this.#serve();
	}

	#serve(): void {
		const { socket, policy } = this.#options;
		while (this.#inFlight < policy.client.inFlight && !socket.destroyed) {
			const text = this.#waiting.shift();
			if (text === undefined) break;
			this.#take(text);
		}
		if (this.#waiting.length > 0) socket.pause();
		else socket.resume();
	}

	#take(text: string): void {
		let request: LocalRequest | BadRequestError;
		try {
			request = parseLocalRequest(text);
		} catch (error) {
			request = error as BadRequestError;
		}
		const answer = this.#answer(request);
		this.#inFlight++;
		const isOob = !(request instanceof BadRequestError) && request.oob;
		const send = async (): Promise<void> => this.#send(await answer);
		const sent = isOob ? send() : this.#answers.then(send);
		if (!isOob) this.#answers = sent;
		void sent.finally(() => {
			this.#inFlight--;
			this.#serve();
		});
	}

	/** Never rejects. */
	async #answer(request: LocalRequest | BadRequestError): Promise<object> {
		const id = request.id === undefined ? {} : { id: request.id };
		try {
			if (!this.#rate.take()) throw new BulkheadError("qmp-too-fast", "Too many commands in a short time");
			if (request instanceof BadRequestError) throw request;
			return { return: await this.#run(request), ...id };
		} catch (error) {
			return { ...id, error: describe(error) };
		}
	}

	async #run({ command, args, oob }: LocalRequest): Promise<unknown> {
		if (command === "qmp_capabilities") return this.#negotiate(args);
		if (!this.#isNegotiated) throw new NotFound("Expecting capabilities negotiation with 'qmp_capabilities'");
		if (oob && !this.#hasOob) throw new BadRequestError("Capability 'oob' was not enabled");
		const { role, number: client, execute } = this.#options;
		return execute({ role, client, command, ...(args && { args }), oob, timeoutMs: COMMAND_MS });
	}

	#negotiate(args: Record<string, unknown> = {}): object {
		if (this.#isNegotiated) throw new NotFound("Capabilities negotiation is already complete, command ignored");
		const enable = args.enable ?? [];
		if (!Array.isArray(enable) || enable.some((name) => name !== "oob"))
			throw new BadRequestError("Only the capability 'oob' is offered");
		this.#isNegotiated = true;
		this.#hasOob = enable.length > 0;
		return {};
	}

	#send(message: object): void {
		const { socket } = this.#options;
		if (socket.destroyed) return;
		socket.write(formatMessage(message));
		if (socket.writableLength > UNREAD_BYTES) this.#drop("it does not read its answers");
	}

	#drop(reason: string): void {
		if (this.#options.socket.destroyed) return;
		this.#options.socket.destroy();
		this.#options.onDropped(reason);
	}
}

/** QEMU's CommandNotFound. */
class NotFound extends BadRequestError {}

function describe(error: unknown): { class: string; desc: string } {
	if (error instanceof QmpError) return { class: error.errorClass, desc: error.desc };
	const isUnknown = error instanceof NotFound;
	return {
		class: isUnknown ? "CommandNotFound" : "GenericError",
		desc: error instanceof BulkheadError ? error.message : "Internal error of the relay",
	};
}
