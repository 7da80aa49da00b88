import { ProtocolError, printable } from "@bulkhead/base";
import { parseJson } from "./parse-json.ts";

/** Of QEMU; -1 for a number it did not give. Of no use for any check: an untrusted QEMU may claim anything. */
export interface QmpVersion {
	major: number;
	minor: number;
	micro: number;
	/** The packager's text, made printable. */
	package: string;
}

export interface QmpEvent {
	/** SHUTDOWN, RESET, STOP … */
	event: string;
	data: Record<string, unknown>;
	timestamp: { seconds: number; microseconds: number };
}

/** What QEMU sends (docs/interop/qmp-spec, section 2). */
export type QmpMessage =
	| { kind: "greeting"; version: QmpVersion; capabilities: string[] }
	| { kind: "return"; id: number; value: unknown }
	| { kind: "error"; id: number; error: { class: string; desc: string } }
	| ({ kind: "event" } & QmpEvent);

const MOST_CAPABILITIES = 32;
const EVENT_NAME = /^[A-Za-z0-9_.-]{1,128}$/;

/** @throws ProtocolError for anything that QEMU would not send to this client */
export function parseMessage(line: string): QmpMessage {
	const message = parseJson(line);
	if (!isRecord(message)) throw new ProtocolError("QMP message is not an object");
	const { QMP: greeting, event, error } = message;
	if (isRecord(greeting)) return parseGreeting(greeting);
	if (typeof event === "string") return parseEvent(event, message);
	if (isRecord(error)) return { kind: "error", id: parseId(message.id), error: parseError(error) };
	if ("return" in message) return { kind: "return", id: parseId(message.id), value: message.return };
	throw new ProtocolError("QMP message is of no known kind");
}

/** One line, newline included. Out of band: QEMU runs it at once, beside a command that it is busy with. */
export function formatCommand(
	command: string,
	args: Record<string, unknown> | undefined,
	id: number,
	{ oob = false }: { oob?: boolean } = {},
): string {
	const given = oob ? { "exec-oob": command } : { execute: command };
	return `${JSON.stringify({ ...given, ...(args && { arguments: args }), id })}\r\n`;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseGreeting({ version, capabilities }: Record<string, unknown>): QmpMessage {
	const names = Array.isArray(capabilities) ? capabilities.filter((name) => typeof name === "string") : [];
	return { kind: "greeting", version: parseVersion(version), capabilities: names.slice(0, MOST_CAPABILITIES) };
}

function parseId(id: unknown): number {
	if (typeof id === "number" && Number.isSafeInteger(id)) return id;
	throw new ProtocolError("QMP reply has no id of ours");
}

function parseError(error: Record<string, unknown>): { class: string; desc: string } {
	const { class: errorClass, desc } = error;
	if (typeof errorClass !== "string" || typeof desc !== "string")
		throw new ProtocolError("QMP error lacks its class or description");
	return { class: errorClass, desc };
}

function parseEvent(event: string, { data, timestamp }: Record<string, unknown>): QmpMessage {
	if (!EVENT_NAME.test(event)) throw new ProtocolError("QMP event has an odd name");
	if (data !== undefined && !isRecord(data)) throw new ProtocolError(`Data of QMP event ${event} are not an object`);
	return { kind: "event", event, data: data ?? {}, timestamp: parseTimestamp(timestamp) };
}

function parseTimestamp(timestamp: unknown): QmpEvent["timestamp"] {
	if (!isRecord(timestamp)) return { seconds: -1, microseconds: -1 };
	return { seconds: wholeNumber(timestamp.seconds), microseconds: wholeNumber(timestamp.microseconds) };
}

function parseVersion(version: unknown): QmpVersion {
	const fields = isRecord(version) ? version : {};
	const qemu = isRecord(fields.qemu) ? fields.qemu : {};
	return {
		major: wholeNumber(qemu.major),
		minor: wholeNumber(qemu.minor),
		micro: wholeNumber(qemu.micro),
		package: typeof fields.package === "string" ? printable(fields.package, 128) : "",
	};
}

function wholeNumber(value: unknown): number {
	return typeof value === "number" && Number.isSafeInteger(value) ? value : -1;
}
