import { BulkheadError, printable } from "@bulkhead/base";
import { parseJson } from "@bulkhead/qmp";

/** One command of a client of a QMP socket. */
export interface LocalRequest {
	command: string;
	args?: Record<string, unknown>;
	oob: boolean;
	/** Any JSON, given back with the answer; undefined when there was none. */
	id?: unknown;
}

/** A command that is none: QEMU's error class and words. `code` is `qmp-bad-request`. */
export class BadRequestError extends BulkheadError {
	/** The request's own, if that much of it could be read. */
	readonly id: unknown;

	constructor(message: string, id?: unknown) {
		super("qmp-bad-request", message);
		this.id = id;
	}
}

const DEPTH = 32;
const ID_BYTES = 1024;
const COMMAND_NAME = /^[A-Za-z0-9_-]{1,128}$/;
const MEMBERS = new Set(["execute", "exec-oob", "arguments", "id"]);

/** @throws BadRequestError */
export function parseLocalRequest(text: string): LocalRequest {
	const request = parseObject(text);
	const { execute, "exec-oob": oob, arguments: args, id } = request;
	if (id !== undefined && Buffer.byteLength(JSON.stringify(id)) > ID_BYTES)
		throw new BadRequestError(`QMP input member 'id' is longer than ${ID_BYTES} bytes`);
	for (const name of Object.keys(request))
		if (!MEMBERS.has(name)) throw new BadRequestError(`QMP input member '${printable(name, 64)}' is unexpected`, id);
	const command = execute ?? oob;
	if ((execute === undefined) === (oob === undefined) || typeof command !== "string" || !COMMAND_NAME.test(command))
		throw new BadRequestError("QMP input needs 'execute' or 'exec-oob' with a command's name", id);
	if (args !== undefined && !isRecord(args)) throw new BadRequestError("QMP input member 'arguments' is no object", id);
	return { command, oob: oob !== undefined, ...(args && { args }), ...(id !== undefined && { id }) };
}

function parseObject(text: string): Record<string, unknown> {
	let value: unknown;
	try {
		value = parseJson(text, DEPTH);
	} catch {
		throw new BadRequestError("JSON parse error");
	}
	if (!isRecord(value)) throw new BadRequestError("QMP input must be a JSON object");
	return value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}
