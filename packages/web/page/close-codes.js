/** Why bulkheadd ends a WebSocket, beside the codes of RFC 6455. Shared by the daemon and the page. */
export const CLOSE = /** @type {const} */ ({
	/** RFC 6455: the daemon stops. */
	stopping: 1001,
	/** The guest is gone, and its sessions with it. */
	guestGone: 4000,
	/** The same session was opened in another tab, or again in this one. */
	replaced: 4001,
	/** The other end (relay, QEMU, agent) ended the conversation. */
	ended: 4002,
	/** Nobody serves it at the moment. */
	notServed: 4003,
	/** The session's time is over. */
	sessionOver: 4004,
});

/** After these, coming back is of no use. */
export const FINAL = /** @type {ReadonlySet<number>} */ (new Set([CLOSE.guestGone, CLOSE.replaced, CLOSE.sessionOver]));

/** @param {number} code @param {string} reason what the daemon wrote beside it @returns {string} a sentence for a person */
export function describeClose(code, reason) {
	switch (code) {
		case CLOSE.stopping:
			return "bulkheadd was stopped";
		case CLOSE.guestGone:
			return "The guest is gone";
		case CLOSE.replaced:
			return "This session was opened again elsewhere";
		case CLOSE.sessionOver:
			return "The session's time is over";
		case CLOSE.ended:
		case CLOSE.notServed:
			return reason === "" ? "The guest's screen is not served at the moment" : reason;
		default:
			return `The connection to bulkheadd was lost (${code})`;
	}
}
