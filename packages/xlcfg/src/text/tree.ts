import type { Position } from "../problems/xlcfg-error.ts";

/** A node's place, for people and for who edits the text: `start` is its first character, `end` the one behind. */
export interface Span extends Position {
	start: number;
	end: number;
}

export interface StringNode extends Span {
	kind: "string";
	/** Escapes resolved. */
	value: string;
}

/** A number as written: `0x1f`, `010`, `10`; what it is worth is for the reader of the key to say. */
export interface NumberNode extends Span {
	kind: "number";
	text: string;
}

export interface ListNode extends Span {
	kind: "list";
	items: ValueNode[];
}

export type ValueNode = StringNode | NumberNode | ListNode;

/** `key = value` or `key += value`; the position is the key's. */
export interface Assignment extends Span {
	key: string;
	operator: "=" | "+=";
	value: ValueNode;
	/** The file's name, or the words for an assignment on the command line. */
	file: string;
}
