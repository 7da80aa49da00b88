import type { Position } from "../problems/xlcfg-error.ts";

export interface StringNode extends Position {
	kind: "string";
	/** Escapes resolved. */
	value: string;
}

/** A number as written: `0x1f`, `010`, `10`; what it is worth is for the reader of the key to say. */
export interface NumberNode extends Position {
	kind: "number";
	text: string;
}

export interface ListNode extends Position {
	kind: "list";
	items: ValueNode[];
}

export type ValueNode = StringNode | NumberNode | ListNode;

/** `key = value` or `key += value`; the position is the key's. */
export interface Assignment extends Position {
	key: string;
	operator: "=" | "+=";
	value: ValueNode;
	/** The file's name, or the words for an assignment on the command line. */
	file: string;
}
