import { InvalidInputError } from "@bulkhead/base";

/** A place in a config file; both count from 1, columns in UTF-16 units. */
export interface Position {
	line: number;
	column: number;
}

/** One thing wrong, or worth saying, about a config file. */
export interface XlCfgProblem extends Position {
	message: string;
	/** The key of the assignment, when the trouble is with one. */
	key?: string;
	remedy?: string;
	/** Where `line` counts: the file, or an assignment of the command line. */
	file: string;
}

/** More are not collected: the reader has enough to do. */
export const MOST_PROBLEMS = 20;

/**
 * A guest's config file is wrong. `fields` are those of the first problem ({ file, line, column, key }) and
 * `fields.problems` lists every problem found.
 */
export class XlCfgError extends InvalidInputError {
	readonly problems: readonly XlCfgProblem[];

	constructor(problems: readonly [XlCfgProblem, ...XlCfgProblem[]], code = "bad-guest-config") {
		const [first] = problems;
		const { file, line, column, key } = first;
		const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
		super(
			`${describeProblem(first)}${more}`,
			{ remedy: first.remedy, fields: { file, line, column, ...(key === undefined ? {} : { key }), problems } },
			code,
		);
		this.problems = problems;
	}
}

/** "guest.cfg:3:5: Sentence", the form that editors jump from. */
export function describeProblem({ file, line, column, message }: XlCfgProblem): string {
	return `${file}:${line}:${column}: ${message}`;
}
