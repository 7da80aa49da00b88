import { Clipboard } from "./clipboard.js";
import { describeClose, FINAL } from "./close-codes.js";
import { element } from "./element.js";
import { COMBINATIONS, press } from "./keys.js";
import RFB from "./novnc/core/rfb.js";
import { OverError, Session } from "./session.js";

/** @import { Admission } from "./session.js" */

const RETRY_MS = { first: 500, longest: 5000 };

const state = element("state", HTMLElement);
const view = element("screen", HTMLElement);
const scale = element("scale", HTMLInputElement);
const reconnect = element("reconnect", HTMLButtonElement);
const keys = element("keys", HTMLSelectElement);

const session = new Session();
const clipboard = new Clipboard(session);
/** @type {RFB | undefined} */
let screen;

/** @param {"connected" | "waiting" | "over"} kind @param {string} text */
function show(kind, text) {
	state.dataset.state = kind;
	state.textContent = text;
	reconnect.hidden = kind !== "over";
}

/**
 * Shows the screen until its connection is over.
 * @param {Admission} admission
 * @returns {Promise<{ code: number, reason: string, wasThere: boolean }>}
 */
function watch(admission) {
	const { name } = admission.guest;
	element("guest", HTMLElement).textContent = name;
	document.title = `${name} – screen`;
	return new Promise((resolve) => {
		const socket = session.open(admission, "socket");
		const shown = new RFB(view, socket, { shared: true });
		let wasThere = false;
		shown.background = "transparent";
		shown.scaleViewport = scale.checked;
		shown.addEventListener("connect", () => {
			wasThere = true;
			screen = shown;
			clipboard.attach(shown, admission.clipboard);
			show("connected", "Connected");
			if (view.contains(document.activeElement) || document.activeElement === document.body) shown.focus();
		});
		socket.addEventListener("close", ({ code, reason }) => {
			screen = undefined;
			clipboard.attach(undefined, false);
			resolve({ code, reason, wasThere });
		});
	});
}

/** @param {number} ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Connects again and again: the guest may reboot, relay and daemon may be restarted. */
async function run() {
	let pauseMs = RETRY_MS.first;
	for (;;) {
		show("waiting", "Connecting …");
		let why = "bulkheadd does not answer";
		try {
			const { code, reason, wasThere } = await watch(await session.admit());
			why = describeClose(code, reason);
			if (FINAL.has(code)) return show("over", `${why}.`);
			if (wasThere) pauseMs = RETRY_MS.first;
		} catch (error) {
			if (error instanceof OverError) return show("over", error.message);
			if (!(error instanceof TypeError) && error instanceof Error) why = error.message;
		}
		show("waiting", `${why}; trying again`);
		await pause(pauseMs);
		pauseMs = Math.min(2 * pauseMs, RETRY_MS.longest);
	}
}

/** @param {number} keysym @param {string} code @param {boolean} down */
const send = (keysym, code, down) => screen?.sendKey(keysym, code, down);

for (const [index, [title]] of COMBINATIONS.entries()) keys.add(new Option(title, String(index)));
element("keys-send", HTMLButtonElement).addEventListener("click", () => {
	const combination = COMBINATIONS[Number(keys.value)];
	if (combination) press(send, combination[1]);
	screen?.focus();
});
element("ctrl-alt-del", HTMLButtonElement).addEventListener("click", () => {
	screen?.sendCtrlAltDel();
	screen?.focus();
});
scale.addEventListener("change", () => {
	if (screen) screen.scaleViewport = scale.checked;
});
element("fullscreen", HTMLButtonElement).addEventListener("click", async () => {
	await view.requestFullscreen();
	screen?.focus();
});
// Another URL of this guest's, pasted over the old one: browsers do not load the page anew by themselves.
window.addEventListener("hashchange", () => location.reload());
reconnect.addEventListener("click", () => void run());
view.tabIndex = 0;
view.addEventListener("focus", () => screen?.focus());
document.addEventListener(
	"keydown",
	(event) => {
		if (event.code !== "F8" || !event.shiftKey || !view.contains(document.activeElement)) return;
		event.preventDefault();
		event.stopImmediatePropagation();
		// noVNC lets go of every key when the window loses the focus; Shift would stay pressed otherwise.
		window.dispatchEvent(new Event("blur"));
		// Where the next key does nothing.
		element("guest", HTMLElement).focus();
	},
	{ capture: true },
);

void run();
