import type { Lab } from "../../../src/lab.ts";
import { SerialSession } from "../../../src/serial-session.ts";
import { createGuest, type GuestDocument, TINY } from "./guests.ts";

const ANSWER_MS = 3000;
const PATIENCE_MS = 90_000;

/** A CD's sectors come slowly under emulation. */
const READ_MS = 60_000;

let words = 1000;

/** Another word each time, so that no earlier echo is taken for this one's. */
const nextWord = (): string => `${words++}`;

/**
 * Has a conversation with the tiny guest: types digits (letters are its commands) until the guest echoes all of them,
 * since what is typed before its boot sector runs is nobody's.
 */
export async function talkToTiny(lab: Lab, guest: GuestDocument, word = nextWord()): Promise<void> {
	const serial = await SerialSession.open(lab, guest, "serial0");
	try {
		const limit = Date.now() + PATIENCE_MS;
		for (;;) {
			serial.write(`${word}\r`);
			try {
				await serial.expect(new RegExp(word), ANSWER_MS);
				return;
			} catch (error) {
				if (Date.now() > limit) throw error;
			}
		}
	} finally {
		serial.close();
	}
}

/** A tiny guest that answers, for several tests. */
export async function startTiny(lab: Lab): Promise<GuestDocument> {
	const guest = await createGuest(lab, TINY);
	await talkToTiny(lab, guest);
	return guest;
}

/** Types one of the tiny guest's commands (see its config file), once it answers. */
export async function tellTiny(lab: Lab, guest: GuestDocument, command: "b" | "o" | "h" | "c" | "t"): Promise<void> {
	await talkToTiny(lab, guest);
	const serial = await SerialSession.open(lab, guest, "serial0");
	serial.write(`\r${command}\r`);
	await serial.expect(new RegExp(command), ANSWER_MS).catch(() => {});
	serial.close();
}

/** Has the tiny guest act on the drive that it was booted from, and answers what it prints. */
export async function askTiny(
	lab: Lab,
	guest: GuestDocument,
	command: "r" | "w",
	answer: RegExp,
): Promise<string | undefined> {
	await talkToTiny(lab, guest);
	const serial = await SerialSession.open(lab, guest, "serial0");
	serial.write(`\r${command}\r`);
	const [, found] = await serial.expect(answer, READ_MS);
	serial.close();
	return found;
}
