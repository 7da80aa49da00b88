export interface ErrorDetails {
	/** What the reader can do about it, one sentence. */
	remedy?: string;
	/** The underlying failure. */
	cause?: unknown;
	/** Structured facts: path, domid, step, line … Values must be JSON. */
	fields?: Record<string, unknown>;
}

/** The base of every error that Bulkhead throws on purpose: branch on `code` or on the class, never on the text. */
export class BulkheadError extends Error {
	/** Stable, machine-readable, kebab-case. */
	readonly code: string;
	readonly remedy: string | undefined;
	readonly fields: Record<string, unknown>;

	constructor(code: string, message: string, details: ErrorDetails = {}) {
		super(message, details.cause === undefined ? undefined : { cause: details.cause });
		this.name = new.target.name;
		this.code = code;
		this.remedy = details.remedy;
		this.fields = details.fields ?? {};
	}
}

/** Bad input: from a person, a config file or an API client. */
export class InvalidInputError extends BulkheadError {
	constructor(message: string, details?: ErrorDetails, code = "invalid-input") {
		super(code, message, details);
	}
}

/** A peer (xenstored, QEMU, the hypervisor) understood and said no. */
export class PeerRefusedError extends BulkheadError {}

/** A peer broke its protocol: that conversation is over. */
export class ProtocolError extends BulkheadError {
	constructor(message: string, details?: ErrorDetails, code = "protocol-error") {
		super(code, message, details);
	}
}

/** We gave up: a deadline passed. */
export class DeadlineError extends BulkheadError {
	constructor(message: string, details?: ErrorDetails, code = "deadline-exceeded") {
		super(code, message, details);
	}
}

/** We gave up: the caller asked us to, or the thing waited on was closed. */
export class CancelledError extends BulkheadError {
	constructor(message: string, details?: ErrorDetails, code = "cancelled") {
		super(code, message, details);
	}
}

export interface SerializedError {
	code: string;
	message: string;
	remedy?: string;
	fields?: Record<string, unknown>;
	cause?: SerializedError;
}

const DEEPEST_CAUSE = 8;

/** An error and its chain of causes as plain JSON, for an API answer or a log line. */
export function serializeError(error: unknown, depth = 0): SerializedError {
	const known = error instanceof BulkheadError ? error : undefined;
	const message = error instanceof Error ? error.message : String(error);
	const cause = error instanceof Error ? error.cause : undefined;
	return {
		code: known?.code ?? errnoOf(error) ?? "internal",
		message,
		...(known?.remedy === undefined ? {} : { remedy: known.remedy }),
		...(known && Object.keys(known.fields).length > 0 ? { fields: known.fields } : {}),
		...(cause === undefined || depth >= DEEPEST_CAUSE ? {} : { cause: serializeError(cause, depth + 1) }),
	};
}

/** The errno name that Node put on a system error (`ENOENT`), if it is one. */
export function errnoOf(error: unknown): string | undefined {
	if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return undefined;
	return /^E[A-Z0-9]+$/.test(error.code) ? error.code : undefined;
}

/** Text from a peer made safe for a terminal or a log line: printable ASCII only, bounded. */
export function printable(text: string, maxLength = 512): string {
	const cut = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
	return cut.replace(/[^\x20-\x7e…]/g, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}
