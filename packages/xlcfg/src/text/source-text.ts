import { ProblemList } from "../problems/problem-list.ts";
import type { XlCfgProblem } from "../problems/xlcfg-error.ts";
import { collectAssignments } from "./parse-tree.ts";
import { quoteString } from "./string-escapes.ts";
import type { Assignment, ValueNode } from "./tree.ts";

/** A value to write into a config: text, a number, or a list of values. */
export type PlainValue = string | number | readonly PlainValue[];

/**
 * A config's text, to be changed in places: comments, blank lines, quotes, `+=` and whatever cannot be read stay to the
 * letter. Printed without a change it is the text that it was made of, whatever that was.
 */
export class SourceText {
	/** What was readable, in order. */
	readonly assignments: readonly Assignment[];
	/** What was not. */
	readonly problems: readonly XlCfgProblem[];
	readonly #text: string;
	readonly #edits = new Map<ValueNode | Assignment, string>();
	readonly #appended = new Map<string, string>();

	constructor(text: string, file: string) {
		const problems = new ProblemList();
		this.#text = text;
		this.assignments = collectAssignments(text, file, problems);
		this.problems = problems.all;
	}

	/** Replaces one value: an assignment's, or one within a list. */
	replace(node: ValueNode, value: PlainValue): void {
		this.#edits.set(node, printValue(value));
	}

	/** Gives a key a value: in the place of its last assignment, or in a new line at the end. Earlier ones no longer count. */
	set(key: string, value: PlainValue): void {
		const last = this.assignments.findLast((assignment) => assignment.key === key);
		if (last) this.#edits.set(last, `${key} = ${printValue(value)}`);
		else this.#appended.set(key, `${key} = ${printValue(value)}`);
	}

	print(): string {
		const parts: string[] = [];
		let at = 0;
		for (const assignment of this.assignments) {
			parts.push(this.#text.slice(at, assignment.start), this.#printAssignment(assignment));
			at = assignment.end;
		}
		parts.push(this.#text.slice(at));
		if (this.#appended.size === 0) return parts.join("");
		const whole = parts.join("");
		const lines = [...this.#appended.values()].map((line) => `${line}\n`);
		return `${whole}${whole === "" || whole.endsWith("\n") ? "" : "\n"}${lines.join("")}`;
	}

	#printAssignment(assignment: Assignment): string {
		const edited = this.#edits.get(assignment);
		if (edited !== undefined) return edited;
		return this.#text.slice(assignment.start, assignment.value.start) + this.#printNode(assignment.value);
	}

	#printNode(node: ValueNode): string {
		const edited = this.#edits.get(node);
		if (edited !== undefined) return edited;
		if (node.kind !== "list") return this.#text.slice(node.start, node.end);
		const parts: string[] = [];
		let at = node.start;
		for (const item of node.items) {
			parts.push(this.#text.slice(at, item.start), this.#printNode(item));
			at = item.end;
		}
		return parts.join("") + this.#text.slice(at, node.end);
	}
}

/** A value as the grammar has it; a number with a sign or a fraction stands in quotes. */
export function printValue(value: PlainValue): string {
	if (typeof value === "string") return quoteString(value);
	if (typeof value === "number")
		return Number.isSafeInteger(value) && value >= 0 ? `${value}` : quoteString(`${value}`);
	return value.length === 0 ? "[ ]" : `[ ${value.map(printValue).join(", ")} ]`;
}
