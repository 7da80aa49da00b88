import { ClipboardAgent } from "./agent.js";
import { element } from "./element.js";
import { keysOfText, press } from "./keys.js";

/** @import RFB from "./novnc/core/rfb.js" */
/** @import { Session } from "./session.js" */

const TYPE_MS = 30;
const NO_CHANNEL =
	"This guest has no channel org.bulkhead.agent.v1 in its config. Text goes by VNC, which reaches only guests that run SPICE's agent.";

/** The clipboard's panel: text both ways, through the guest's channel when it has one, by VNC otherwise. */
export class Clipboard {
	#panel = element("clipboard", HTMLElement);
	#open = element("clipboard-open", HTMLButtonElement);
	#text = element("clipboard-text", HTMLTextAreaElement);
	#note = element("clipboard-note", HTMLParagraphElement);
	#session;
	#hasChannel = false;
	/** @type {ClipboardAgent | undefined} */
	#agent;
	/** @type {RFB | undefined} */
	#screen;

	/** @param {Session} session */
	constructor(session) {
		this.#session = session;
		this.#open.addEventListener("click", () => this.#toggle());
		element("clipboard-give", HTMLButtonElement).addEventListener("click", () => this.#give());
		element("clipboard-type", HTMLButtonElement).addEventListener("click", () => void this.#type());
	}

	/** The screen's connection is there, or is not. @param {RFB | undefined} screen @param {boolean} hasChannel */
	attach(screen, hasChannel) {
		this.#screen = screen;
		this.#hasChannel = hasChannel;
		screen?.addEventListener("clipboard", (event) => this.#show(/** @type {CustomEvent} */ (event).detail.text));
		if (screen) this.#connect();
	}

	#toggle() {
		const isOpen = this.#panel.hidden;
		this.#panel.hidden = !isOpen;
		this.#open.setAttribute("aria-expanded", String(isOpen));
		if (isOpen) this.#text.focus();
		else this.#agent?.close();
		this.#connect();
	}

	/** One client at a time has the channel: only while the panel is open is it this page. */
	#connect() {
		if (this.#panel.hidden || this.#agent || !this.#screen) return;
		if (this.#hasChannel) void this.#connectAgent();
		else this.#note.textContent = NO_CHANNEL;
	}

	async #connectAgent() {
		this.#note.textContent = "Waiting for the guest's agent …";
		try {
			const admission = await this.#session.admit();
			const agent = new ClipboardAgent(this.#session.open(admission, "clipboard"));
			this.#agent = agent;
			agent.addEventListener("here", (event) => {
				this.#note.textContent = `Through the agent of ${/** @type {CustomEvent} */ (event).detail || "the guest"}.`;
			});
			agent.addEventListener("text", (event) => this.#show(/** @type {CustomEvent} */ (event).detail));
			agent.addEventListener("taken", () => {
				this.#note.textContent = "The guest has it.";
			});
			agent.addEventListener("over", () => {
				this.#agent = undefined;
				this.#note.textContent = "The guest's channel was closed. Open the clipboard again to try once more.";
			});
		} catch (error) {
			this.#note.textContent = String(error);
		}
	}

	#give() {
		const text = this.#text.value;
		if (this.#agent) this.#agent.give(text);
		else this.#screen?.clipboardPasteFrom(text);
	}

	async #type() {
		const { combinations, missing } = keysOfText(this.#text.value);
		if (missing !== "") this.#note.textContent = `A US keyboard has no ${missing}`;
		for (const keys of combinations) {
			const screen = this.#screen;
			if (!screen) return;
			press((keysym, code, down) => screen.sendKey(keysym, code, down), keys);
			// A guest's keyboard keeps 16 bytes.
			await new Promise((resolve) => setTimeout(resolve, TYPE_MS));
		}
	}

	/** @param {string} text of the guest's */
	#show(text) {
		this.#text.value = text;
		this.#note.textContent = "Copied in the guest.";
	}
}
