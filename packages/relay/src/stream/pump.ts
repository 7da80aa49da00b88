import type { Duplex, Transform } from "node:stream";
import { withDeadline } from "@bulkhead/base";

/** What one end had said when it closed still goes to the other, no longer than this. */
const FLUSH_MS = 5000;

/**
 * Bytes both ways, with back-pressure, until either end closes. Nothing that a peer does or fails to do holds this up
 * for longer than the flush. Both streams are destroyed then; never rejects.
 * @param fromOther what the other's bytes pass on their way
 */
export async function pump(one: Duplex, other: Duplex, signal: AbortSignal, fromOther?: Transform): Promise<void> {
	const streams = fromOther ? [one, other, fromOther] : [one, other];
	const ends = streams.map(over);
	const done = new AbortController();
	const stopped = new Promise<void>((resolve) => {
		signal.addEventListener("abort", () => resolve(), { once: true, signal: done.signal });
		if (signal.aborted) resolve();
	});
	one.pipe(other, { end: false });
	if (fromOther) other.pipe(fromOther).pipe(one, { end: false });
	else other.pipe(one, { end: false });
	await Promise.race([...ends, stopped]);
	done.abort();
	await Promise.all([flush(one), flush(other)]);
	for (const stream of streams) stream.destroy();
	await Promise.all(streams.map(closed));
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
