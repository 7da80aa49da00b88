import { BulkheadError, PeerRefusedError } from "@bulkhead/base";
import { CLOSE } from "@bulkhead/web";
import type { Guest } from "../guests/guest.ts";
import { type LiveStream, ScreenSession, type Stream } from "./screen-session.ts";
import { SecretTable } from "./secret-table.ts";

interface ScreenSessionLimits {
	/** From the API's answer until the page is opened. */
	readonly invitationMs: number;
	/** From the page's question until its WebSocket is there. */
	readonly ticketMs: number;
	/** Of a session, whatever happens. */
	readonly sessionMs: number;
	/** Of a session that nobody is connected with: a guest may take that long to reboot. */
	readonly idleMs: number;
	readonly invitations: number;
	readonly sessions: number;
	/** Of one guest. */
	readonly guestSessions: number;
}

export const SCREEN_SESSION_LIMITS: ScreenSessionLimits = {
	invitationMs: 60_000,
	ticketMs: 15_000,
	sessionMs: 12 * 3_600_000,
	idleMs: 15 * 60_000,
	invitations: 64,
	sessions: 64,
	guestSessions: 8,
};

export interface ScreenSessionsOptions {
	/** Whether it is still one of the daemon's. */
	isHere: (guest: Guest) => boolean;
	/** Milliseconds on a clock that only goes forward. */
	now?: () => number;
}

/** What a page gets for a secret: another one for the next time, and a ticket for one WebSocket now. */
export interface Admission {
	session: ScreenSession;
	secret: string;
	ticket: string;
}

interface SessionSecret {
	session: ScreenSession;
	/** Counts the secrets of that session. */
	number: number;
}

/**
 * Who may see which screen. An invitation (from the API) is good once, and begins a session; each step of a session is
 * paid with its newest secret. The one before stays good until the page has shown that it received the next.
 */
export class ScreenSessions {
	readonly #isHere: (guest: Guest) => boolean;
	readonly #now: () => number;
	readonly #invitations: SecretTable<Guest>;
	readonly #secrets: SecretTable<SessionSecret>;
	readonly #tickets: SecretTable<SessionSecret>;
	readonly #sessions = new Set<ScreenSession>();

	constructor({ isHere, now = () => performance.now() }: ScreenSessionsOptions) {
		const { invitations, invitationMs, sessions, sessionMs, ticketMs } = SCREEN_SESSION_LIMITS;
		this.#isHere = isHere;
		this.#now = now;
		this.#invitations = new SecretTable({ most: invitations, lifeMs: invitationMs, now });
		this.#secrets = new SecretTable({ most: 2 * sessions, lifeMs: sessionMs, now });
		this.#tickets = new SecretTable({ most: 2 * sessions, lifeMs: ticketMs, now });
	}

	get size(): number {
		this.#dropOver();
		return this.#sessions.size;
	}

	invite(guest: Guest): string {
		return this.#invitations.issue(guest);
	}

	/** @throws PeerRefusedError `session-over`; BulkheadError `too-many-screens` */
	admit(secret: string): Admission {
		this.#dropOver();
		const session = this.#begin(secret) ?? this.#goOn(secret);
		if (!session)
			throw new PeerRefusedError("session-over", "This URL was used already, or its time is over", {
				remedy: "Ask for another one: bulkhead screen GUEST",
			});
		const number = ++session.newest;
		// A page uses its last or the one before: it cannot push out other pages' tickets with its own.
		this.#tickets.drop((other) => other.session === session && other.number < number - 1);
		return {
			session,
			secret: this.#secrets.issue({ session, number }),
			ticket: this.#tickets.issue({ session, number }),
		};
	}

	/** The session that a ticket is of, once. Its page has the secret that came with it; it may have a newer one by now. */
	redeem(ticket: string): ScreenSession | undefined {
		this.#dropOver();
		const found = this.#tickets.take(ticket);
		if (!found || !this.#sessions.has(found.session)) return undefined;
		const { session, number } = found;
		this.#secrets.drop((other) => other.session === session && other.number < number);
		return session;
	}

	/** The page's stream lives; an older one of the same kind is told to go. */
	connect(session: ScreenSession, stream: Stream, live: LiveStream): void {
		session.connect(stream, live)?.close(CLOSE.replaced, "opened again");
	}

	disconnect(session: ScreenSession, stream: Stream, live: LiveStream): void {
		session.disconnect(stream, live, this.#now());
	}

	/** Ends what is over by now, with its streams: to be called when a guest is gone, and now and then. */
	dropOver(): void {
		this.#dropOver();
	}

	close(): void {
		this.#invitations.drop(() => true);
		this.#end(() => true, CLOSE.stopping, "bulkheadd is stopping");
	}

	#begin(secret: string): ScreenSession | undefined {
		const guest = this.#invitations.take(secret);
		if (!guest || !this.#isHere(guest)) return undefined;
		this.#makeRoom(guest);
		const session = new ScreenSession(guest, { now: this.#now(), lifeMs: SCREEN_SESSION_LIMITS.sessionMs });
		this.#sessions.add(session);
		return session;
	}

	#goOn(secret: string): ScreenSession | undefined {
		const found = this.#secrets.find(secret);
		if (!found || !this.#sessions.has(found.session)) return undefined;
		this.#settle(found);
		return found.session;
	}

	/** Secrets other than this one are good for nothing any more. */
	#settle({ session, number }: SessionSecret): void {
		this.#secrets.drop((other) => other.session === session && other.number !== number);
	}

	/** A session that nobody is connected with gives way. @throws BulkheadError `too-many-screens` */
	#makeRoom(guest: Guest): void {
		const { sessions, guestSessions } = SCREEN_SESSION_LIMITS;
		const ofGuest = [...this.#sessions].filter((session) => session.guest === guest);
		const crowd = ofGuest.length >= guestSessions ? ofGuest : [...this.#sessions];
		if (ofGuest.length < guestSessions && crowd.length < sessions) return;
		const idle = crowd.find((session) => !session.isConnected);
		if (!idle)
			throw new BulkheadError("too-many-screens", "Too many browsers watch already", {
				remedy: "Close one of them",
				fields: { ofGuest: ofGuest.length, all: this.#sessions.size },
			});
		this.#end((session) => session === idle, CLOSE.sessionOver, "another session took its place");
	}

	#dropOver(): void {
		const now = this.#now();
		const { idleMs } = SCREEN_SESSION_LIMITS;
		const isIdle = ({ idleSince }: ScreenSession): boolean => idleSince !== undefined && idleSince + idleMs <= now;
		this.#end((session) => session.endsAt <= now || isIdle(session), CLOSE.sessionOver, "the session's time is over");
		this.#end((session) => !this.#isHere(session.guest), CLOSE.guestGone, "the guest is gone");
	}

	#end(isOver: (session: ScreenSession) => boolean, code: number, reason: string): void {
		for (const session of this.#sessions) {
			if (!isOver(session)) continue;
			this.#sessions.delete(session);
			this.#secrets.drop((other) => other.session === session);
			this.#tickets.drop((other) => other.session === session);
			session.closeAll(code, reason);
		}
	}
}
