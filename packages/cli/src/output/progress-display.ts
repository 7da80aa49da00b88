import type { ProgressLine, WarningLine } from "@bulkhead/api/client";
import { printable } from "@bulkhead/base";
import type { CommandContext } from "../command-context.ts";

const ERASE_LINE = "\r\x1b[K";

/**
 * Shows an operation's steps on standard error: one updating line on a terminal, a line for each finished step
 * otherwise (and with -v). Lines of our own in place of listr2, whose import takes as long as all else that a command
 * does at start-up.
 */
export class ProgressDisplay {
	readonly #context: CommandContext;
	readonly #updating: boolean;
	readonly #running = new Map<string, number>();
	#shown = false;

	constructor(context: CommandContext) {
		this.#context = context;
		this.#updating = context.io.stderr.isTTY === true && !context.verbose;
	}

	show(line: ProgressLine | WarningLine): void {
		if (this.#context.json) return;
		if (line.type === "warning") this.#write(`warning: ${printable(line.message, 2000)}`);
		else this.#progress(line);
	}

	/** Wipes the updating line: something else follows. */
	clear(): void {
		if (this.#shown) this.#context.io.stderr.write(ERASE_LINE);
		this.#shown = false;
	}

	#progress({ title, state, ms }: ProgressLine): void {
		const safe = printable(title, 200);
		const count = (this.#running.get(safe) ?? 0) + (state === "start" ? 1 : -1);
		if (count > 0) this.#running.set(safe, count);
		else this.#running.delete(safe);
		if (state === "undone") this.#write(`undone: ${safe}`);
		else if (state === "undo-failed") this.#write(`could not undo: ${safe}`);
		else if (state === "failed") this.#write(`failed: ${safe}`);
		else if (this.#updating) this.#update();
		else if (state === "done") this.#write(`${safe} (${(ms / 1000).toFixed(2)} s)`);
	}

	#update(): void {
		const titles = [...this.#running.keys()];
		const more = titles.length > 1 ? ` (and ${titles.length - 1} more)` : "";
		const text = `${titles.at(-1) ?? ""}${more}`.slice(0, (this.#context.io.stderr.columns ?? 80) - 1);
		this.#context.io.stderr.write(`${ERASE_LINE}${text}`);
		this.#shown = true;
	}

	#write(line: string): void {
		this.clear();
		this.#context.note(line);
	}
}
