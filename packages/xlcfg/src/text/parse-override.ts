import { printable } from "@bulkhead/base";
import type { ProblemList } from "../problems/problem-list.ts";
import { collectAssignments } from "./parse-tree.ts";
import type { Assignment } from "./tree.ts";

const OVERRIDE = /^\s*([a-z][._0-9a-z]*)\s*(\+?=)\s*(.*)$/s;

/**
 * One "key=value" of the command line. The value is read as in a file when it begins with a quote or a bracket or is a
 * number; anything else is a string as it stands, since a shell has eaten the quotes. Problems are noted.
 */
export function parseOverride(text: string, problems: ProblemList): Assignment | undefined {
	const file = `argument ${printable(text, 64)}`;
	const [, key, operator, value = ""] = OVERRIDE.exec(text) ?? [];
	if (key === undefined) {
		problems.add(file, { line: 1, column: 1 }, "The argument is not an assignment", { remedy: "Write key=value" });
		return undefined;
	}
	if (/^["'[]/.test(value) || /^[0-9][0-9a-fx]*\s*$/.test(value)) {
		const assignments = collectAssignments(text, file, problems);
		if (assignments.length === 1) return assignments[0];
		if (assignments.length > 1)
			problems.add(file, { line: 1, column: 1 }, "The argument holds more than one assignment", {
				remedy: "Give each assignment as an argument of its own",
			});
		return undefined;
	}
	const start = text.length - value.length;
	const node = { kind: "string", value, line: 1, column: start + 1, start, end: text.length } as const;
	return {
		key,
		operator: operator === "+=" ? "+=" : "=",
		value: node,
		file,
		line: 1,
		column: 1,
		start: 0,
		end: text.length,
	};
}
