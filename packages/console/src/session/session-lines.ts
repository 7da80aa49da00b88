import { BulkheadError, ProtocolError, type SerializedError, type Uuid, uuid } from "@bulkhead/base";
import type { ReadFrom } from "../backend/console-reader.ts";

/** The first line of a framed console connection, JSON. */
export interface SessionRequest {
	guest: Uuid;
	/** The console's label: `serial0`, `stub`, `console`. */
	console: string;
	from: ReadFrom;
	/** When `from` is an offset: the stream that it counts. In another stream reading begins at its start. */
	stream?: string;
	/** Whether the client wants to type, if nobody else does. */
	input: boolean;
}

/** The answer line when the console is there. */
export interface SessionAnswer {
	ok: true;
	/** Names the stream that offsets count. */
	stream: string;
	/** Names the ring that input is counted in. */
	ring: string;
	/** Offset of what follows (of the gap, when what was asked for is gone). */
	offset: number;
	/** Offset after the newest byte of output. */
	end: number;
	/** Where the ring's input stands: counts of another connection to the same ring agree modulo 2^32. */
	inputOffset: number;
	/** The client's input is taken. When false, a `writer` frame may follow later. */
	writer: boolean;
}

export interface SessionRefusal {
	ok: false;
	error: SerializedError;
}

export const LONGEST_LINE: number = 8 * 1024;

/** @throws ProtocolError, InvalidInputError */
export function parseRequest(line: string): SessionRequest {
	const value = parseObject(line);
	const { guest, console: label, from, stream, input } = value;
	if (typeof guest !== "string" || typeof label !== "string" || typeof input !== "boolean") throw malformed("request");
	if (!isReadFrom(from) || (stream !== undefined && typeof stream !== "string")) throw malformed("request");
	return { guest: uuid(guest), console: label, from, stream, input };
}

/** @throws ProtocolError; BulkheadError with the relay's code when it refused */
export function parseAnswer(line: string): SessionAnswer {
	const value = parseObject(line);
	if (value.ok !== true) throw refusal(value.error);
	const { stream, ring, offset, end, inputOffset, writer } = value;
	if (typeof stream !== "string" || typeof ring !== "string" || typeof writer !== "boolean") throw malformed("answer");
	if (!isCount(offset) || !isCount(end) || !isCount(inputOffset)) throw malformed("answer");
	return { ok: true, stream, ring, offset, end, inputOffset, writer };
}

function refusal(error: unknown): BulkheadError {
	if (!isRecord(error) || typeof error.code !== "string" || typeof error.message !== "string")
		return malformed("answer");
	const remedy = typeof error.remedy === "string" ? error.remedy : undefined;
	return new BulkheadError(error.code, error.message, { remedy });
}

function parseObject(line: string): Record<string, unknown> {
	let value: unknown;
	try {
		value = JSON.parse(line);
	} catch (error) {
		throw new ProtocolError("Console line is not JSON", { cause: error });
	}
	if (!isRecord(value)) throw malformed("line");
	return value;
}

function isReadFrom(value: unknown): value is ReadFrom {
	return value === "live" || value === "start" || value === "tail" || isCount(value);
}

function isCount(value: unknown): value is number {
	return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
	return typeof value === "object" && value !== null;
}

function malformed(what: string): ProtocolError {
	return new ProtocolError(`Console ${what} is malformed`);
}
