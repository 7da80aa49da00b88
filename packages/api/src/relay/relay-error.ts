import { PeerRefusedError, type SerializedError } from "@bulkhead/base";

/** The relay answered a request with an error: `code`, `remedy` and `fields` are the relay's own. */
export class RelayError extends PeerRefusedError {
	/** The whole answer, chain of causes included. */
	readonly body: SerializedError;

	constructor(body: SerializedError) {
		super(body.code, body.message, {
			remedy: body.remedy,
			fields: body.fields,
			cause: body.cause && new RelayError(body.cause),
		});
		this.body = body;
	}
}
