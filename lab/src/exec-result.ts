import { BulkheadError } from "@bulkhead/base";

export interface ExecOptions {
	/** Bytes for the program's standard input; without them it reads end of file. */
	stdin?: Uint8Array | string;
	/** Milliseconds after which the program in dom0 is killed and the call fails. */
	timeoutMs?: number;
	signal?: AbortSignal;
}

export interface ExecResult {
	stdout: Buffer;
	stderr: string;
	/** The program's status; 128 + n when signal n ended it, as shells count. */
	exitCode: number;
}

/** ssh itself failed, for example because the lab went down. */
export class LabConnectionError extends BulkheadError {}

/** ssh's own failures end with this status; see ssh(1), EXIT STATUS. */
export const SSH_FAILED = 255;
