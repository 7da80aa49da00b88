import type { Readable } from "node:stream";
import { ProtocolError } from "@bulkhead/base";

/**
 * Exactly so many bytes of a stream that nobody else reads; what is behind them stays in it. Waits for ever: whoever has
 * a deadline destroys the stream. @throws ProtocolError when the stream ends first
 */
export async function takeBytes(stream: Readable, count: number): Promise<Buffer> {
	for (;;) {
		const bytes: Buffer | null = stream.destroyed ? null : stream.read(count);
		if (bytes?.length === count) return bytes;
		if (bytes !== null || stream.destroyed || stream.readableEnded)
			throw new ProtocolError("The peer closed in the middle of the handshake");
		await change(stream);
	}
}

function change(stream: Readable): Promise<void> {
	return new Promise((resolve) => {
		const settle = (): void => {
			for (const event of EVENTS) stream.off(event, settle);
			resolve();
		};
		for (const event of EVENTS) stream.on(event, settle);
	});
}

const EVENTS = ["readable", "end", "close", "error"] as const;
