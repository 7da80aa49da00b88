import type { Screen, ScreenInvitation } from "@bulkhead/api";
import { BulkheadError, PeerRefusedError } from "@bulkhead/base";
import { CLOSE } from "@bulkhead/web";
import type { Logger } from "pino";
import type { WebSocket } from "ws";
import type { Events } from "../events.ts";
import type { Guest } from "../guests/guest.ts";
import type { Guests } from "../guests/guests.ts";
import { bridge } from "./bridge.ts";
import { clipboardSocketOf, describeScreen, screenSocketOf } from "./screen-places.ts";
import type { LiveStream, ScreenSession, Stream } from "./screen-session.ts";
import { SCREEN_SESSION_LIMITS, ScreenSessions } from "./screen-sessions.ts";

export interface ScreensParts {
	guests: Guests;
	/** Where the relay has its sockets. */
	relayDirectory: string;
	log: Logger;
}

/** What a page is told when it is let in. */
export interface PageAdmission {
	guest: { uuid: string; name: string };
	/** For the next time. */
	secret: string;
	/** For one WebSocket, soon. */
	ticket: string;
	/** Whether the guest has a channel for clipboards. */
	clipboard: boolean;
}

const HOUSEKEEPING_MS = 5000;
const TITLES: Readonly<Record<Stream, string>> = {
	socket: "The guest's screen",
	clipboard: "The guest's clipboard channel",
};

/** Screens of guests for browsers: who is let in, and the way from a WebSocket to the relay's socket. */
export class Screens {
	readonly #parts: ScreensParts;
	readonly #sessions: ScreenSessions;
	readonly #housekeeping: NodeJS.Timeout;
	/** Where browsers find them; or why they do not. */
	browserUrl: string | undefined;
	whyNot = "bulkheadd was started without --http-listen";

	constructor(parts: ScreensParts) {
		this.#parts = parts;
		this.#sessions = new ScreenSessions({ isHere: (guest) => parts.guests.find(guest.uuid) === guest });
		this.#housekeeping = setInterval(() => this.#sessions.dropOver(), HOUSEKEEPING_MS);
		this.#housekeeping.unref();
	}

	/** Ends sessions with their guests. Runs until the signal aborts. */
	async follow(events: Events, signal: AbortSignal): Promise<void> {
		while (!signal.aborted) {
			for await (const { type } of events.subscribe(signal)) if (type === "guest-ended") this.#sessions.dropOver();
		}
	}

	close(): void {
		clearInterval(this.#housekeeping);
		this.#sessions.close();
	}

	/** @throws InvalidInputError `no-such-screen` */
	describe(guest: Guest): Screen {
		return describeScreen(guest, this.#parts.relayDirectory, this.browserUrl);
	}

	/** @throws InvalidInputError `no-such-screen`; BulkheadError `http-not-listening` */
	invite(guest: Guest): ScreenInvitation {
		const { guest: identity, browserUrl } = this.describe(guest);
		if (browserUrl === undefined)
			throw new BulkheadError("http-not-listening", `Browsers are not served: ${this.whyNot}`, {
				remedy: "Start bulkheadd with --http-listen 127.0.0.1:8006, or use `bulkhead vncviewer`",
			});
		const secret = this.#sessions.invite(guest);
		this.#parts.log.info({ guest: guest.uuid }, "Invited a browser to a screen");
		return {
			guest: identity,
			url: `${browserUrl}/guests/${encodeURIComponent(guest.name)}/screen#${secret}`,
			expiresInSeconds: SCREEN_SESSION_LIMITS.invitationMs / 1000,
		};
	}

	/** Lets a page in: `ref` is the guest's name or uuid in its URL. @throws what ScreenSessions.admit throws */
	admit(ref: string, secret: string): PageAdmission {
		const { session, ...secrets } = this.#sessions.admit(secret);
		const { guest } = session;
		if (ref !== guest.uuid && ref !== guest.name)
			throw new PeerRefusedError("session-over", "This URL is of another guest", {
				remedy: "Ask for another one: bulkhead screen GUEST",
			});
		const clipboard = clipboardSocketOf(guest) !== undefined;
		return { guest: { uuid: guest.uuid, name: guest.name }, ...secrets, clipboard };
	}

	/** The session that a ticket opens a stream of. */
	redeem(ticket: string, uuid: string): ScreenSession | undefined {
		const session = this.#sessions.redeem(ticket);
		return session?.guest.uuid === uuid ? session : undefined;
	}

	/** Serves a browser until one of the ends is gone. */
	async serve(session: ScreenSession, stream: Stream, browser: WebSocket): Promise<void> {
		const { guest } = session;
		const path = stream === "socket" ? this.#findScreen(guest) : clipboardSocketOf(guest);
		if (path === undefined) return browser.close(CLOSE.notServed, `${TITLES[stream]} is not there`);
		const live: LiveStream = { close: (code, reason) => browser.close(code, reason) };
		const began = performance.now();
		this.#sessions.connect(session, stream, live);
		this.#parts.log.info({ guest: guest.uuid, stream }, "A browser is connected");
		try {
			await bridge(browser, { path, title: TITLES[stream] });
		} finally {
			this.#sessions.disconnect(session, stream, live);
			const seconds = Math.round((performance.now() - began) / 1000);
			this.#parts.log.info({ guest: guest.uuid, stream, seconds }, "A browser is gone");
		}
	}

	#findScreen(guest: Guest): string | undefined {
		try {
			return screenSocketOf(guest, this.#parts.relayDirectory);
		} catch {
			return undefined;
		}
	}
}
