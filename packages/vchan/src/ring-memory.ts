import { OFFSET, PAGE_BYTES } from "./layout.ts";
import type { RingMemory } from "./ring.ts";

/** The ring that the client writes to, with its counters in the control page. */
export function leftRing(page: Uint8Array, data: Uint8Array): RingMemory {
	return { words: wordsOf(page), consumer: OFFSET.leftConsumer / 4, producer: OFFSET.leftProducer / 4, data };
}

/** The ring that the client reads from. */
export function rightRing(page: Uint8Array, data: Uint8Array): RingMemory {
	return { words: wordsOf(page), consumer: OFFSET.rightConsumer / 4, producer: OFFSET.rightProducer / 4, data };
}

/** Native byte order: little-endian on every machine that Xen runs on. */
function wordsOf(page: Uint8Array): Uint32Array {
	return new Uint32Array(page.buffer, page.byteOffset, PAGE_BYTES / 4);
}
