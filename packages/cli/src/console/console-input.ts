import type { ConsoleSession } from "@bulkhead/console";
import type { TerminalInput } from "../cli-io.ts";

export interface ConsoleInputParts {
	stdin: TerminalInput;
	session: ConsoleSession;
	/** On a terminal. */
	escapeByte: number;
	/** The escape key, or a terminal that is gone. */
	onLeave: () => void;
	/** Input that is no terminal has come to its end, with something in it, and the guest has all of it. */
	onSent: () => void;
}

/**
 * Standard input for a console. A terminal is in raw mode as long as this is open: every key is the guest's, but for the
 * one that detaches. An input that ends without a byte (/dev/null) means only that nothing will be typed.
 */
export class ConsoleInput {
	readonly #parts: ConsoleInputParts;
	readonly isTerminal: boolean;
	#hasTyped = false;

	constructor(parts: ConsoleInputParts) {
		this.#parts = parts;
		const { stdin } = parts;
		this.isTerminal = stdin.isTTY === true && stdin.setRawMode !== undefined;
	}

	open(): void {
		const { stdin } = this.#parts;
		if (this.isTerminal) stdin.setRawMode?.(true);
		stdin.on("data", this.#take).on("end", this.#end);
	}

	close(): void {
		const { stdin } = this.#parts;
		stdin.off("data", this.#take).off("end", this.#end);
		stdin.pause();
		if (this.isTerminal) stdin.setRawMode?.(false);
	}

	readonly #take = (chunk: Buffer): void => {
		const { stdin, session, escapeByte, onLeave } = this.#parts;
		const at = this.isTerminal ? chunk.indexOf(escapeByte) : -1;
		const bytes = at === -1 ? chunk : chunk.subarray(0, at);
		if (bytes.length > 0) {
			this.#hasTyped = true;
			if (!session.write(bytes)) {
				stdin.pause();
				session.once("drain", () => stdin.resume());
			}
		}
		if (at !== -1) onLeave();
	};

	readonly #end = (): void => {
		const { session, onLeave, onSent } = this.#parts;
		if (this.isTerminal) onLeave();
		else if (this.#hasTyped) session.end(onSent);
	};
}
