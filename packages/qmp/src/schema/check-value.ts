import { ProtocolError } from "@bulkhead/base";
import { isRecord } from "../wire/message.ts";

/** What a QEMU's values look like. Types are named: "str", "[]X" for an array of X, or a key of `objects` or `alternates`. */
export interface Shapes {
	/** By command. */
	results: Record<string, string>;
	/** By event. */
	events: Record<string, string>;
	/** Optional members end in "?". With `tag`, its value chooses another object whose members belong here too. */
	objects: Record<string, { members: Record<string, string>; tag?: string; variants?: Record<string, string> }>;
	/** One of several types. */
	alternates: Record<string, readonly string[]>;
}

/** A number that QEMU means as a whole one. Above 2^53 the lowest digits are lost. */
const LARGEST_INTEGER = 2 ** 64;
const ENUM_VALUE = /^[A-Za-z0-9_.+-]{1,64}$/;
const LONGEST_TEXT = 64 * 1024;
const LONGEST_ARRAY = 16 * 1024;

/**
 * Checks a value from an untrusted QEMU for its form: what is known must be of its type, and be there unless it is
 * optional. Members that we do not know are of no concern: a newer QEMU has more.
 * @throws ProtocolError naming the place, never the value
 */
export function checkValue(shapes: Shapes, type: string, value: unknown, place: string): void {
	const object = own(shapes.objects, type);
	if (type.startsWith("[]")) checkArray(shapes, type.slice(2), value, place);
	else if (object) checkObject(shapes, object, value, place);
	else if (!isOneOf(shapes, type, value, place)) throw oddForm(place, type);
}

function isOneOf(shapes: Shapes, type: string, value: unknown, place: string): boolean {
	const ways = own(shapes.alternates, type);
	return ways ? ways.some((way) => matches(shapes, way, value, place)) : isBuiltin(type, value);
}

function checkArray(shapes: Shapes, type: string, value: unknown, place: string): void {
	if (!Array.isArray(value) || value.length > LONGEST_ARRAY) throw oddForm(place, "array");
	for (const [index, item] of value.entries()) checkValue(shapes, type, item, `${place}[${index}]`);
}

function checkObject(shapes: Shapes, object: Shapes["objects"][string], value: unknown, place: string): void {
	if (!isRecord(value)) throw oddForm(place, "object");
	for (const [key, type] of Object.entries(object.members)) {
		const isOptional = key.endsWith("?");
		const name = isOptional ? key.slice(0, -1) : key;
		if (Object.hasOwn(value, name)) checkValue(shapes, type, value[name], `${place}.${name}`);
		else if (!isOptional) throw new ProtocolError(`QEMU's ${place} lacks ${name}`, { fields: { place, member: name } });
	}
	const tag = object.tag === undefined ? undefined : value[object.tag];
	const variant = typeof tag === "string" ? own(object.variants ?? {}, tag) : undefined;
	if (variant !== undefined) checkValue(shapes, variant, value, place);
}

function matches(shapes: Shapes, type: string, value: unknown, place: string): boolean {
	try {
		checkValue(shapes, type, value, place);
		return true;
	} catch {
		return false;
	}
}

function isBuiltin(type: string, value: unknown): boolean {
	switch (type) {
		case "str":
			return typeof value === "string" && value.length <= LONGEST_TEXT;
		case "enum":
			return typeof value === "string" && ENUM_VALUE.test(value);
		case "bool":
			return typeof value === "boolean";
		case "int":
			return typeof value === "number" && Number.isInteger(value) && Math.abs(value) <= LARGEST_INTEGER;
		case "number":
			return typeof value === "number" && Number.isFinite(value);
		case "null":
			return value === null;
		case "nothing":
			return isRecord(value);
		case "any":
			return value !== undefined;
		default:
			return false;
	}
}

function own<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
	return Object.hasOwn(table, key) ? table[key] : undefined;
}

function oddForm(place: string, type: string): ProtocolError {
	return new ProtocolError(`QEMU's ${place} is no ${type}`, { fields: { place, type } });
}
