import { InvalidInputError } from "./errors.ts";

declare const brand: unique symbol;
type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/** A domain's number: 0 … 0x7FEF (xen.h: DOMID_FIRST_RESERVED is 0x7FF0). */
export type DomId = Branded<number, "DomId">;
/** A grant reference: index into a domain's grant table (grant_table.h), 32 bits. */
export type GrantRef = Branded<number, "GrantRef">;
/** An event channel port, local to the domain that names it (event_channel.h), 32 bits, never 0. */
export type EvtchnPort = Branded<number, "EvtchnPort">;
/** A uuid in canonical lower-case text, 8-4-4-4-12. */
export type Uuid = Branded<string, "Uuid">;

export const DOM0: DomId = 0 as DomId;

const FIRST_RESERVED_DOMID = 0x7ff0;
const UUID_TEXT = /^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;

function parseUnsigned(kind: string, value: number | string, min: number, max: number): number {
	const number = typeof value === "string" && /^\d{1,10}$/.test(value) ? Number(value) : value;
	if (typeof number !== "number" || !Number.isInteger(number) || number < min || number > max)
		throw new InvalidInputError(`Value ${JSON.stringify(value)} is not a ${kind}`, {
			remedy: `Give a whole number from ${min} to ${max}`,
		});
	return number;
}

/** @throws InvalidInputError when the value is no ordinary domain's number */
export function domId(value: number | string): DomId {
	return parseUnsigned("domid", value, 0, FIRST_RESERVED_DOMID - 1) as DomId;
}

/** @throws InvalidInputError */
export function grantRef(value: number | string): GrantRef {
	return parseUnsigned("grant reference", value, 0, 0xffff_ffff) as GrantRef;
}

/** @throws InvalidInputError */
export function evtchnPort(value: number | string): EvtchnPort {
	return parseUnsigned("event channel port", value, 1, 0xffff_ffff) as EvtchnPort;
}

/** Accepts 32 hexadecimal digits with or without dashes. @throws InvalidInputError */
export function uuid(text: string): Uuid {
	if (!UUID_TEXT.test(text))
		throw new InvalidInputError(`Value ${JSON.stringify(text.slice(0, 80))} is not a uuid`, {
			remedy: "Give 32 hexadecimal digits, with or without dashes",
		});
	return formatUuid(text.replaceAll("-", "").toLowerCase());
}

export function uuidFromBytes(bytes: Uint8Array): Uuid {
	return formatUuid(Buffer.from(bytes.subarray(0, 16)).toString("hex"));
}

/** The 16 bytes that Xen keeps as a domain's handle. */
export function uuidToBytes(id: Uuid): Uint8Array {
	return Uint8Array.from(Buffer.from(id.replaceAll("-", ""), "hex"));
}

export function randomUuid(): Uuid {
	return crypto.randomUUID() as Uuid;
}

function formatUuid(hex: string): Uuid {
	return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}` as Uuid;
}
