import type { Readable } from "node:stream";

export interface InputRate {
	burstBytes: number;
	bytesPerSecond: number;
}

/** A QEMU's answers are some KiB each; its greeting, its schema and a crowd of clients fit into the burst. */
export const QEMU_INPUT: InputRate = { burstBytes: 4 * 1024 * 1024, bytesPerSecond: 512 * 1024 };

/**
 * Pauses a stream that brings more than the rate: whatever an untrusted peer says without end, reading it costs a bounded
 * part of our time. Back-pressure does the rest.
 */
export function throttle(stream: Readable, { burstBytes, bytesPerSecond }: InputRate): void {
	let tokens = burstBytes;
	let filledAt = performance.now();
	let timer: NodeJS.Timeout | undefined;
	stream.on("data", (chunk: Uint8Array) => {
		const now = performance.now();
		tokens = Math.min(burstBytes, tokens + ((now - filledAt) / 1000) * bytesPerSecond) - chunk.length;
		filledAt = now;
		if (tokens >= 0 || timer) return;
		stream.pause();
		timer = setTimeout(
			() => {
				timer = undefined;
				stream.resume();
			},
			Math.ceil((-tokens * 1000) / bytesPerSecond),
		);
	});
	stream.once("close", () => clearTimeout(timer));
}
