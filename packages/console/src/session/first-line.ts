import type { Socket } from "node:net";
import { CancelledError, ProtocolError, withDeadline } from "@bulkhead/base";
import { LONGEST_LINE } from "./session-lines.ts";

/**
 * Reads a connection's first line and leaves it paused; bytes behind the line come back as `rest`.
 * @throws ProtocolError when the line is too long, DeadlineError, CancelledError when the peer is gone
 */
export async function readFirstLine(
	socket: Socket,
	options: { timeoutMs: number; signal?: AbortSignal; what: string },
): Promise<{ line: string; rest: Uint8Array }> {
	let stop: () => void = () => {};
	const line = new Promise<{ line: string; rest: Uint8Array }>((resolve, reject) => {
		let read: Uint8Array = new Uint8Array(0);
		const onData = (chunk: Uint8Array): void => {
			read = Buffer.concat([read, chunk]);
			const at = read.indexOf(0x0a);
			if (at !== -1 && at <= LONGEST_LINE)
				resolve({ line: Buffer.from(read.subarray(0, at)).toString("utf8"), rest: read.subarray(at + 1) });
			else if (at !== -1 || read.length > LONGEST_LINE)
				reject(new ProtocolError(`Console line is longer than ${LONGEST_LINE} bytes`));
			else return;
			stop();
		};
		const onGone = (): void => reject(new CancelledError(`Lost the connection while waiting for ${options.what}`));
		const onError = (error: Error): void => reject(error);
		stop = () => {
			socket.pause();
			socket.off("data", onData).off("end", onGone).off("close", onGone).off("error", onError);
		};
		socket.on("data", onData).on("end", onGone).on("close", onGone).on("error", onError);
		socket.resume();
	});
	try {
		return await withDeadline(line, options);
	} finally {
		stop();
	}
}
