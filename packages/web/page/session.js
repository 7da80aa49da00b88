/** The daemon lets this page in no more: asking again is of no use. */
export class OverError extends Error {}

/**
 * @typedef {object} Admission
 * @property {{ uuid: string, name: string }} guest
 * @property {string} secret for the next time
 * @property {string} ticket for one WebSocket, soon
 * @property {boolean} clipboard whether the guest has a channel for it
 */

const KEPT = "bulkhead-screen-secret";
const ANSWER_MS = 10_000;

/**
 * This page's way into one guest's screen. The secret comes once in the URL's fragment, which no browser sends anywhere,
 * and is taken out of the address at once. Later ones are kept for this tab alone.
 */
export class Session {
	#path = location.pathname.replace(/\/$/, "");
	/** @type {Promise<unknown>} */
	#asking = Promise.resolve();

	constructor() {
		const secret = location.hash.slice(1);
		if (secret === "") return;
		sessionStorage.setItem(KEPT, secret);
		history.replaceState(null, "", this.#path);
	}

	/**
	 * Pays with the secret and keeps the next one. One after the other, since each makes the one before worthless.
	 * @returns {Promise<Admission>}
	 * @throws {OverError} and, when the daemon does not answer, another Error
	 */
	admit() {
		const asked = this.#asking.then(() => this.#admit());
		this.#asking = asked.catch(() => {});
		return asked;
	}

	/** @param {Admission} admission @param {"socket" | "clipboard"} stream */
	open({ guest, ticket }, stream) {
		const url = new URL(`/guests/${guest.uuid}/screen/${stream}`, location.href);
		url.protocol = url.protocol.replace("http", "ws");
		const socket = new WebSocket(url, ["binary", `ticket.${ticket}`]);
		socket.binaryType = "arraybuffer";
		return socket;
	}

	/** @returns {Promise<Admission>} */
	async #admit() {
		const secret = sessionStorage.getItem(KEPT);
		if (secret === null) throw new OverError("This page needs a fresh URL: run `bulkhead screen GUEST` on the host");
		const response = await fetch(`${this.#path}/session`, {
			method: "POST",
			headers: { "Content-Type": "application/json" },
			body: JSON.stringify({ secret }),
			signal: AbortSignal.timeout(ANSWER_MS),
		});
		const answer = await response.json();
		if (response.ok) {
			sessionStorage.setItem(KEPT, answer.secret);
			return answer;
		}
		const sentence = `${answer.message}. ${answer.remedy ?? ""}`.trim();
		if (answer.code !== "session-over") throw new Error(sentence);
		sessionStorage.removeItem(KEPT);
		throw new OverError(sentence);
	}
}
