import { printable } from "@bulkhead/base";
import type { ProblemList } from "../problems/problem-list.ts";
import type { Assignment } from "./tree.ts";

/**
 * What each key is worth at last: a later `=` wins, `+=` appends to what stands so far (string to string, list to
 * list). The positions are those of the newest assignment.
 */
export function mergeAssignments(
	assignments: readonly Assignment[],
	problems: ProblemList,
	warnings: ProblemList,
): Map<string, Assignment> {
	const merged = new Map<string, Assignment>();
	for (const assignment of assignments) {
		warnOfDuplicate(merged.get(assignment.key), assignment, warnings);
		const earlier = assignment.operator === "+=" ? merged.get(assignment.key) : undefined;
		const joined = earlier ? join(earlier, assignment) : ({ ...assignment, operator: "=" } satisfies Assignment);
		if (joined) merged.set(assignment.key, joined);
		else {
			const { file, key } = assignment;
			problems.add(file, assignment, `Key ${key} is of another kind than what += would append to it`, {
				key,
				remedy: "Append strings to strings, lists to lists",
			});
		}
	}
	return merged;
}

function join({ value: earlier, operator }: Assignment, assignment: Assignment): Assignment | undefined {
	const { value } = assignment;
	if (earlier.kind === "string" && value.kind === "string")
		return { ...assignment, value: { ...value, value: earlier.value + value.value } };
	if (earlier.kind !== "list" || value.kind !== "list") return undefined;
	// The first append copies the list, later ones grow the copy: many appends stay linear.
	const items = operator === "+=" ? earlier.items : [...earlier.items];
	for (const item of value.items) items.push(item);
	return { ...assignment, value: { ...value, items } };
}

/** An argument of the command line is there to replace what the file says; a second line in the file may be a slip. */
function warnOfDuplicate(earlier: Assignment | undefined, later: Assignment, warnings: ProblemList): void {
	const { file, key, operator } = later;
	if (!earlier || operator === "+=" || earlier.file !== file || warnings.full) return;
	warnings.add(
		file,
		later,
		`Key ${printable(key, 64)} is given again: this replaces ${file}:${earlier.line}:${earlier.column}`,
		{
			key: printable(key, 64),
			remedy: "Remove one of the two lines",
		},
	);
}
