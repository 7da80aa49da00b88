import type { GuestConfig } from "@bulkhead/xlcfg";

/** A config as libxl prints it: nothing is known of its shape. */
export type XlConfig = Readonly<Record<string, unknown>>;

/** One plain fact of a guest, as each of both tells it. */
export interface Fact {
	xl: (config: XlConfig) => unknown;
	ours: (config: GuestConfig) => unknown;
}

/** What stands at a path, or undefined. A key may hold a dot: "type.hvm". */
export function at(value: unknown, ...path: string[]): unknown {
	return path.reduce<unknown>(
		(inner, key) => (typeof inner === "object" && inner !== null ? (inner as Record<string, unknown>)[key] : undefined),
		value,
	);
}

/** libxl's booleans: "True" and "False", or JSON's; absent is the default. */
export function flagAt(otherwise: boolean | undefined, value: unknown, ...path: string[]): boolean | undefined {
	const flag = at(value, ...path);
	if (flag === "True" || flag === true || flag === 1) return true;
	return flag === undefined ? otherwise : false;
}

export function listAt(value: unknown, ...path: string[]): unknown[] {
	const list = at(value, ...path);
	return Array.isArray(list) ? list : [];
}

/** What stands at a path as text; "" when nothing does. */
export function textAt(value: unknown, ...path: string[]): string {
	const text = at(value, ...path);
	return typeof text === "string" || typeof text === "number" ? `${text}` : "";
}

const hvmPath = (path: string[]): string[] => ["b_info", "type.hvm", ...path];
export const hvm = (xl: XlConfig, ...path: string[]): unknown => at(xl, ...hvmPath(path));
export const hvmFlag = (otherwise: boolean | undefined, xl: XlConfig, ...path: string[]): boolean | undefined =>
	flagAt(otherwise, xl, ...hvmPath(path));
export const isHvm = (xl: XlConfig): boolean => at(xl, "c_info", "type") === "hvm";

/** What JSON keeps: without undefined fields. */
export const plain = (value: unknown): unknown => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));
