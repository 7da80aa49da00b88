/** A turn that moves fewer bytes than this is no part of a stream: answers to questions are waited for by event. */
const STREAM_BYTES = 512;
/** Turns in a row that have moved so many, from which on the next is worth a look. */
const STREAM_TURNS = 4;
/** Looks in vain before an event is asked for. */
const LOOKS = 10;

/** Of a ring in shared memory: whether a turn that found nothing is followed by another look, or by waiting for an event. */
export class Patience {
	#streamed = 0;
	#looks = 0;

	get isLooking(): boolean {
		return this.#streamed >= STREAM_TURNS && this.#looks < LOOKS;
	}

	/** @param movedBytes in both directions */
	afterTurn(movedBytes: number): void {
		if (movedBytes >= STREAM_BYTES) {
			this.#streamed++;
			this.#looks = 0;
		} else if (movedBytes > 0 || ++this.#looks >= LOOKS) this.#streamed = 0;
	}
}
