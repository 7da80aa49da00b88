import type { Readable } from "node:stream";
import { ProtocolError } from "@bulkhead/base";

const EVENTS = ["readable", "end", "close", "error"] as const;

/**
 * Exactly so many bytes of a stream that nobody else reads; what is behind them stays in it. Waits for ever: whoever has
 * a deadline destroys the stream. @throws ProtocolError when the stream ends first
 */
export async function takeBytes(stream: Readable, count: number): Promise<Buffer> {
	const pieces: Buffer[] = [];
	for (let missing = count; missing > 0; ) {
		// All that is there: a stream that keeps some would say at once, and for ever, that it can be read.
		const amount = stream.destroyed ? 0 : Math.min(missing, stream.readableLength);
		const piece: Buffer | null = amount > 0 ? stream.read(amount) : null;
		if (piece) {
			pieces.push(piece);
			missing -= piece.length;
		} else {
			if (stream.destroyed || stream.readableEnded)
				throw new ProtocolError("The peer closed in the middle of the handshake");
			await change(stream);
		}
	}
	return Buffer.concat(pieces);
}

function change(stream: Readable): Promise<void> {
	return new Promise((resolve) => {
		const settle = (): void => {
			for (const event of EVENTS) stream.off(event, settle);
			resolve();
		};
		for (const event of EVENTS) stream.on(event, settle);
		stream.read(0);
	});
}
