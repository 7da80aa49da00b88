import type { Duplex } from "node:stream";
import { withDeadline } from "@bulkhead/base";

/** What one end had said when it closed still goes to the other, no longer than this. */
const FLUSH_MS = 5000;

/**
 * Bytes both ways, with back-pressure, until either end closes. Nothing that a peer does or fails to do holds this up
 * for longer than the flush. Both streams are destroyed then; never rejects.
 */
export async function pump(one: Duplex, other: Duplex, signal: AbortSignal): Promise<void> {
	const ends = [over(one), over(other)] as const;
	const done = new AbortController();
	const stopped = new Promise<void>((resolve) => {
		signal.addEventListener("abort", () => resolve(), { once: true, signal: done.signal });
	});
	one.pipe(other, { end: false });
	other.pipe(one, { end: false });
	await Promise.race([...ends, stopped]);
	done.abort();
	await Promise.all([flush(one), flush(other)]);
	for (const stream of [one, other]) stream.destroy();
	await Promise.all([closed(one), closed(other)]);
}

function over(stream: Duplex): Promise<void> {
	return new Promise((resolve) => {
		stream.on("error", () => resolve());
		stream.once("end", resolve);
		stream.once("close", resolve);
		if (stream.destroyed || stream.readableEnded) resolve();
	});
}

async function flush(stream: Duplex): Promise<void> {
	if (stream.destroyed || !stream.writable || stream.writableLength === 0) return;
	const written = new Promise<void>((resolve) => {
		stream.write(Buffer.alloc(0), () => resolve());
		stream.once("close", resolve);
	});
	await withDeadline(written, { timeoutMs: FLUSH_MS, what: "the rest to be written" }).catch(() => {});
}

function closed(stream: Duplex): Promise<void> {
	return new Promise((resolve) => {
		if (stream.closed) resolve();
		else stream.once("close", resolve);
	});
}
