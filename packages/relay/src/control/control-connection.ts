import type { Socket } from "node:net";
import {
	LineSplitter,
	RELAY_LIMITS,
	RELAY_METHODS,
	type RelayMethod,
	type RelayParams,
	type RelayResult,
	requestLine,
	type ServerLine,
} from "@bulkhead/api/relay";
import { BulkheadError, InvalidInputError, ProtocolError, serializeError } from "@bulkhead/base";
import type { RelayLog } from "../relay-log.ts";

/** How each request is answered: the compiler notices a missing one. */
export type RelayHandlers = {
	readonly [M in RelayMethod]: (params: RelayParams<M>) => RelayResult<M> | Promise<RelayResult<M>>;
};

/** A peer that does not read what it asked for is let go above this. */
const UNREAD_BYTES = 8 * 1024 * 1024;

/** One peer of the control socket: lines in, answers and notifications out. A line that is no request ends it. */
export class ControlConnection {
	readonly #socket: Socket;
	readonly #handlers: RelayHandlers;
	readonly #log: RelayLog;
	readonly #lines = new LineSplitter(RELAY_LIMITS.lineBytes);
	#inFlight = 0;

	constructor(socket: Socket, handlers: RelayHandlers, log: RelayLog) {
		this.#socket = socket;
		this.#handlers = handlers;
		this.#log = log;
		socket.on("data", (chunk) => this.#receive(chunk));
	}

	send(line: ServerLine): void {
		if (this.#socket.destroyed) return;
		this.#socket.write(`${JSON.stringify(line)}\n`);
		if (this.#socket.writableLength > UNREAD_BYTES) {
			this.#log.warn({ bytes: this.#socket.writableLength }, "Let a peer go that does not read its answers");
			this.#socket.destroy();
		}
	}

	#receive(chunk: Uint8Array): void {
		if (this.#socket.destroyed) return;
		try {
			for (const line of this.#lines.push(chunk)) this.#take(line);
		} catch (error) {
			this.#log.warn({ error: serializeError(error) }, "A peer of the control socket broke the protocol");
			this.#socket.destroy();
		}
	}

	#take(line: string): void {
		const { id, method, params } = parseRequest(line);
		if (this.#inFlight >= RELAY_LIMITS.requests) {
			this.#refuse(id, new BulkheadError("relay-busy", "Too many requests are in flight on this connection"));
			return;
		}
		if (!isMethod(method)) {
			this.#refuse(id, new InvalidInputError("No such request", { fields: { method } }, "unknown-method"));
			return;
		}
		void this.#answer(id, method, params);
	}

	async #answer<M extends RelayMethod>(id: number, method: M, params: unknown): Promise<void> {
		this.#inFlight++;
		try {
			this.send({ id, result: await this.#handlers[method](checkParams(method, params)) });
		} catch (error) {
			this.#refuse(id, error);
		} finally {
			this.#inFlight--;
		}
	}

	#refuse(id: number, error: unknown): void {
		this.send({ id, error: serializeError(error) });
	}
}

function parseRequest(line: string): { id: number; method: string; params?: unknown } {
	let value: unknown;
	try {
		value = JSON.parse(line);
	} catch (error) {
		throw new ProtocolError("Request is not JSON", { cause: error });
	}
	const parsed = requestLine.safeParse(value);
	if (!parsed.success) throw new ProtocolError("Line is no request");
	return parsed.data;
}

function isMethod(name: string): name is RelayMethod {
	return Object.hasOwn(RELAY_METHODS, name);
}

function checkParams<M extends RelayMethod>(method: M, params: unknown): RelayParams<M> {
	const parsed = RELAY_METHODS[method].params.safeParse(params);
	if (parsed.success) return parsed.data;
	const issues = parsed.error.issues.slice(0, 8).map(({ path, message }) => `${path.join(".")}: ${message}`);
	throw new InvalidInputError(`Parameters of ${method} are malformed`, { fields: { method, issues } });
}
