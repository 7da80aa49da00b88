import { createConnection } from "node:net";
import { withDeadline } from "@bulkhead/base";
import type { LabPaths } from "./lab-paths.ts";

/** Xen takes the serial line's input for itself, or gives it back to dom0, and says so (xen/drivers/char/console.c). */
const SWITCH = "\x01\x01\x01";
const SWITCHED = "*** Serial input to ";

/**
 * Whether Xen answers on its serial port, after all that it has printed there. It does so from its interrupt handler, whatever
 * dom0 does: when it is silent, the emulated machine itself has stopped.
 */
export async function xenAnswers(paths: LabPaths, timeoutMs: number): Promise<boolean> {
	const socket = createConnection(paths.serialSocket).on("error", () => {});
	try {
		// Twice: the input is dom0's again after.
		for (let turn = 0; turn < 2; turn++) await withDeadline(switched(socket), { timeoutMs, what: "Xen's answer" });
		return true;
	} catch {
		return false;
	} finally {
		socket.destroy();
	}
}

function switched(socket: ReturnType<typeof createConnection>): Promise<void> {
	return new Promise((resolve, reject) => {
		let text = "";
		const onData = (chunk: Buffer): void => {
			text = (text + chunk.toString("latin1")).slice(-4096);
			if (!text.includes(SWITCHED)) return;
			socket.off("data", onData).off("error", reject);
			resolve();
		};
		socket.on("data", onData).once("error", reject);
		socket.write(SWITCH);
	});
}
