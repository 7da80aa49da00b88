import type { HostEvent } from "@bulkhead/api/client";
import { printable } from "@bulkhead/base";
import { asciiJson } from "./ascii-json.ts";

/** One event as a line: time, type, guest, details. */
export function eventLine({ time, type, guest, ...details }: HostEvent): string {
	const subject = guest ? [`${printable(guest.name, 64)}${guest.domid === undefined ? "" : ` (${guest.domid})`}`] : [];
	const facts = Object.entries(details).map(([key, value]) => `${printable(key, 64)}=${describe(value)}`);
	return [printable(time, 40), printable(type, 40), ...subject, ...facts].join("  ");
}

function describe(value: unknown): string {
	return typeof value === "string" && /^[\w.:-]+$/.test(value) ? value : printable(asciiJson(value), 1000);
}
