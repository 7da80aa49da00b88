import { MOST_PROBLEMS, type Position, XlCfgError, type XlCfgProblem } from "./xlcfg-error.ts";

export interface ProblemDetails {
	key?: string;
	remedy?: string;
}

/** Collects what is wrong with a config, so that its writer hears everything at once. */
export class ProblemList {
	readonly #problems: XlCfgProblem[] = [];
	readonly #most: number;

	constructor(most: number = MOST_PROBLEMS) {
		this.#most = most;
	}

	/** Whether another problem would be dropped. */
	get full(): boolean {
		return this.#problems.length >= this.#most;
	}

	get all(): readonly XlCfgProblem[] {
		return this.#problems;
	}

	add(file: string, { line, column }: Position, message: string, details: ProblemDetails = {}): void {
		if (!this.full) this.#problems.push({ file, line, column, message, ...details });
	}

	/** @throws XlCfgError when anything was added */
	throwIfAny(): void {
		const [first, ...rest] = this.#problems;
		if (first) throw new XlCfgError([first, ...rest]);
	}
}
