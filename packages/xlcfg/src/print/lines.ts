import { quoteString } from "../text/string-escapes.ts";

export const text = (key: string, value: string | undefined): string[] =>
	value === undefined ? [] : [`${key} = ${quoteString(value)}`];

/** A negative number stands in quotes: the grammar has no sign. */
export const number = (key: string, value: number | undefined): string[] =>
	value === undefined ? [] : [`${key} = ${value < 0 ? `"${value}"` : value}`];

export const mebibytes = (key: string, kiB: number | undefined): string[] =>
	number(key, kiB === undefined ? undefined : kiB / 1024);

/** A flag that differs from what it is when it is not given. */
export const flag = (key: string, value: boolean | undefined, otherwise?: boolean): string[] =>
	value === undefined || value === otherwise ? [] : [`${key} = ${Number(value)}`];

export const list = (key: string, values: readonly string[]): string[] =>
	values.length === 0 ? [] : [`${key} = [`, ...values.map((value) => `\t${quoteString(value)},`), "]"];

/** A list of lists of strings. */
export const lists = (key: string, values: readonly (readonly string[])[]): string[] =>
	values.length === 0
		? []
		: [`${key} = [`, ...values.map((items) => `\t[ ${items.map((item) => quoteString(item)).join(", ")} ],`), "]"];
