import { PeerRefusedError, type SerializedError } from "@bulkhead/base";

/** bulkheadd answered with an error: `code`, `remedy` and `fields` are the daemon's own. */
export class ApiError extends PeerRefusedError {
	/** The whole answer, chain of causes included. */
	readonly body: SerializedError;

	constructor(body: SerializedError) {
		super(body.code, body.message, {
			remedy: body.remedy,
			fields: body.fields,
			cause: body.cause && new ApiError(body.cause),
		});
		this.body = body;
	}
}

/** The error of an answer's body, or undefined when the body holds none. */
export function findApiError(body: unknown): ApiError | undefined {
	return isSerializedError(body) ? new ApiError(body) : undefined;
}

function isSerializedError(value: unknown): value is SerializedError {
	if (typeof value !== "object" || value === null) return false;
	const { code, message, cause } = value as Partial<Record<keyof SerializedError, unknown>>;
	return typeof code === "string" && typeof message === "string" && (cause === undefined || isSerializedError(cause));
}
