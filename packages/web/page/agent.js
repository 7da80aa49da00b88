/** Of a line, in characters: more is no clipboard of anybody's. */
const LONGEST_LINE = 1_048_576;
const HELLO_AGAIN_MS = 3000;

/**
 * The host's end of packages/channel's agent lines, as far as clipboards need it. What the guest says is parsed here, in
 * the browser, and nowhere on the host.
 */
export class ClipboardAgent extends EventTarget {
	#socket;
	#rest = "";
	#decoder = new TextDecoder();
	#hello = 0;

	/** @param {WebSocket} socket to the guest's channel */
	constructor(socket) {
		super();
		this.#socket = socket;
		socket.addEventListener("open", () => this.#greet());
		socket.addEventListener("message", ({ data }) => this.#receive(new Uint8Array(data)));
		socket.addEventListener("close", () => {
			clearInterval(this.#hello);
			this.dispatchEvent(new Event("over"));
		});
	}

	/** @param {string} text for the guest; the event "taken" tells that the guest has it */
	give(text) {
		this.#say(`clipboard ${toBase64(text)}`);
	}

	close() {
		this.#socket.close();
	}

	/** An agent that comes later finds the question; the line before ends what another client left half said. */
	#greet() {
		const ask = () => this.#say("\nhello");
		this.#hello = window.setInterval(ask, HELLO_AGAIN_MS);
		ask();
	}

	/** @param {string} line */
	#say(line) {
		const send = () => this.#socket.send(new TextEncoder().encode(`${line}\n`));
		if (this.#socket.readyState === WebSocket.OPEN) send();
		else if (this.#socket.readyState === WebSocket.CONNECTING)
			this.#socket.addEventListener("open", send, { once: true });
	}

	/** @param {Uint8Array} bytes */
	#receive(bytes) {
		this.#rest += this.#decoder.decode(bytes, { stream: true });
		const lines = this.#rest.split("\n");
		this.#rest = lines.pop() ?? "";
		for (const line of lines) this.#take(line.replace(/\r$/, ""));
		if (this.#rest.length > LONGEST_LINE) this.close();
	}

	/** @param {string} line */
	#take(line) {
		const [word, first = "", ...others] = line.split(" ");
		if (word === "hello" && first === "1") {
			clearInterval(this.#hello);
			this.dispatchEvent(new CustomEvent("here", { detail: others.join(" ").slice(0, 64) }));
		} else if (word === "clipboard" && first !== "") this.#tellText(first);
		else if (word === "ok" && first === "clipboard") this.dispatchEvent(new Event("taken"));
	}

	/** @param {string} base64 */
	#tellText(base64) {
		try {
			this.dispatchEvent(new CustomEvent("text", { detail: fromBase64(base64) }));
		} catch {
			// No base64: none of the protocol's lines.
		}
	}
}

/** @param {string} text @returns {string} of its UTF-8 */
function toBase64(text) {
	let binary = "";
	for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
	return btoa(binary);
}

/** @param {string} base64 @returns {string} */
function fromBase64(base64) {
	return new TextDecoder().decode(Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)));
}
