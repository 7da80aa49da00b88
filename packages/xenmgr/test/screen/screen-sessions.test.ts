import { CLOSE } from "@bulkhead/web";
import { expect, test } from "vitest";
import type { Guest } from "../../src/guests/guest.ts";
import type { LiveStream } from "../../src/screen/screen-session.ts";
import { SCREEN_SESSION_LIMITS as LIMITS, ScreenSessions } from "../../src/screen/screen-sessions.ts";

class World {
	now = 5000;
	readonly gone = new Set<Guest>();
	readonly sessions: ScreenSessions = new ScreenSessions({
		isHere: (guest) => !this.gone.has(guest),
		now: () => this.now,
	});

	guest(): Guest {
		return {} as Guest; // Who it is, is all that sessions know of it.
	}

	stream(): LiveStream & { closed: number[] } {
		const closed: number[] = [];
		return { closed, close: (code) => void closed.push(code) };
	}
}

const over = expect.objectContaining({ code: "session-over" });

test("an invitation lets one page in, once, within its time", () => {
	const { sessions, guest } = new World();
	const one = guest();
	const invitation = sessions.invite(one);
	const { session, secret, ticket } = sessions.admit(invitation);
	expect(session.guest).toBe(one);
	expect(() => sessions.admit(invitation)).toThrow(over);
	expect(() => sessions.admit("x".repeat(43))).toThrow(over);
	expect(() => sessions.admit(ticket)).toThrow(over);
	expect(sessions.redeem(secret)).toBeUndefined();
	expect(sessions.redeem(ticket)).toBe(session);
	expect(sessions.redeem(ticket)).toBeUndefined();
	const world = new World();
	const late = world.sessions.invite(world.guest());
	world.now += LIMITS.invitationMs;
	expect(() => world.sessions.admit(late)).toThrow(over);
});

test("each step of a session is paid with a new secret; the one before is good until the new one was shown", () => {
	const { sessions, guest } = new World();
	const first = sessions.admit(sessions.invite(guest()));
	// The answer may be lost: the page asks again with what it has.
	const lost = sessions.admit(first.secret);
	const again = sessions.admit(first.secret);
	expect(() => sessions.admit(lost.secret)).toThrow(over);
	expect(sessions.redeem(again.ticket)).toBe(first.session);
	expect(() => sessions.admit(first.secret)).toThrow(over);
	const next = sessions.admit(again.secret);
	const last = sessions.admit(next.secret);
	expect(() => sessions.admit(again.secret)).toThrow(over);
	expect(sessions.redeem(last.ticket)).toBe(first.session);
	expect(sessions.size).toBe(1);
});

test("a ticket is good for a short time", () => {
	const world = new World();
	const { ticket, secret } = world.sessions.admit(world.sessions.invite(world.guest()));
	world.now += LIMITS.ticketMs;
	expect(world.sessions.redeem(ticket)).toBeUndefined();
	expect(world.sessions.admit(secret).session).toBeDefined();
});

test("the page that is opened again elsewhere is told to go", () => {
	const world = new World();
	const { session } = world.sessions.admit(world.sessions.invite(world.guest()));
	const [first, second, clipboard] = [world.stream(), world.stream(), world.stream()];
	world.sessions.connect(session, "socket", first);
	world.sessions.connect(session, "clipboard", clipboard);
	world.sessions.connect(session, "socket", second);
	world.sessions.disconnect(session, "socket", first);
	expect([first.closed, second.closed, clipboard.closed]).toEqual([[CLOSE.replaced], [], []]);
	expect(session.isConnected).toBe(true);
	world.sessions.disconnect(session, "socket", second);
	world.sessions.disconnect(session, "clipboard", clipboard);
	expect(session.isConnected).toBe(false);
});

test("a guest that is gone takes its sessions and invitations with it; another of its name has none", () => {
	const world = new World();
	const [guest, other] = [world.guest(), world.guest()];
	const { session, secret, ticket } = world.sessions.admit(world.sessions.invite(guest));
	const invitation = world.sessions.invite(guest);
	const stays = world.sessions.admit(world.sessions.invite(other));
	const stream = world.stream();
	world.sessions.connect(session, "socket", stream);
	world.gone.add(guest);
	world.sessions.dropOver();
	expect(stream.closed).toEqual([CLOSE.guestGone]);
	for (const gone of [secret, invitation]) expect(() => world.sessions.admit(gone)).toThrow(over);
	expect(world.sessions.redeem(ticket)).toBeUndefined();
	expect(world.sessions.redeem(stays.ticket)).toBe(stays.session);
});

test("a session ends when nobody was connected for long, and at its time's end in any case", () => {
	const world = new World();
	const idle = world.sessions.admit(world.sessions.invite(world.guest()));
	const busy = world.sessions.admit(world.sessions.invite(world.guest()));
	const stream = world.stream();
	world.sessions.connect(busy.session, "socket", stream);
	world.now += LIMITS.idleMs - 1;
	expect(world.sessions.size).toBe(2);
	world.now += 1;
	expect(world.sessions.size).toBe(1);
	expect(() => world.sessions.admit(idle.secret)).toThrow(over);
	world.now += LIMITS.sessionMs;
	world.sessions.dropOver();
	expect(stream.closed).toEqual([CLOSE.sessionOver]);
	expect(() => world.sessions.admit(busy.secret)).toThrow(over);
});

test("a guest has so many sessions: one that nobody is connected with gives way, others do not", () => {
	const world = new World();
	const guest = world.guest();
	const admissions = Array.from({ length: LIMITS.guestSessions }, () => {
		const admission = world.sessions.admit(world.sessions.invite(guest));
		world.sessions.connect(admission.session, "socket", world.stream());
		return admission;
	});
	const refused = world.sessions.invite(guest);
	expect(() => world.sessions.admit(refused)).toThrow(expect.objectContaining({ code: "too-many-screens" }));
	const [, second] = admissions;
	if (!second) expect.fail();
	const stream = world.stream();
	world.sessions.connect(second.session, "socket", stream);
	world.sessions.disconnect(second.session, "socket", stream);
	expect(world.sessions.admit(world.sessions.invite(guest)).session.guest).toBe(guest);
	expect(() => world.sessions.admit(second.secret)).toThrow(over);
	expect(world.sessions.admit(world.sessions.invite(world.guest())).session).toBeDefined();
});

test("the daemon's end is all sessions' end", () => {
	const world = new World();
	const { session, secret } = world.sessions.admit(world.sessions.invite(world.guest()));
	const stream = world.stream();
	world.sessions.connect(session, "socket", stream);
	world.sessions.close();
	expect(stream.closed).toEqual([CLOSE.stopping]);
	expect(() => world.sessions.admit(secret)).toThrow(over);
});
