import { CancelledError } from "@bulkhead/base";

/** A signal ended the command. */
export class InterruptedError extends CancelledError {
	readonly exitCode: number;

	constructor(exitCode: number, cause?: unknown) {
		super("Interrupted", { cause });
		this.exitCode = exitCode;
	}
}
