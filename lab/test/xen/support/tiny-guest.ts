import type { Lab } from "../../../src/lab.ts";
import { SerialSession } from "../../../src/serial-session.ts";
import type { GuestDocument } from "./guests.ts";

const ANSWER_MS = 3000;
const PATIENCE_MS = 90_000;

/**
 * Has a conversation with the tiny guest: types a word until the guest echoes all of it, since what is typed before
 * its boot sector runs is nobody's. The word must not end in a letter: a single one is a command.
 */
export async function talkToTiny(lab: Lab, guest: GuestDocument, word: string): Promise<void> {
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

/** Types one of the tiny guest's commands (see its config file), once it answers. */
export async function tellTiny(lab: Lab, guest: GuestDocument, command: "b" | "o" | "h" | "c" | "t"): Promise<void> {
	await talkToTiny(lab, guest, "ready-1");
	const serial = await SerialSession.open(lab, guest, "serial0");
	serial.write(`\r${command}\r`);
	await serial.expect(new RegExp(command), ANSWER_MS).catch(() => {});
	serial.close();
}
