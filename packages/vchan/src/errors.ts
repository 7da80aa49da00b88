import { CancelledError, type ErrorDetails } from "@bulkhead/base";

/** The peer closed the channel, or its domain let go of it. `code` is `vchan-closed`. */
export class VchanClosedError extends CancelledError {
	constructor(details?: ErrorDetails) {
		super("The peer closed the vchan", details, "vchan-closed");
	}
}
