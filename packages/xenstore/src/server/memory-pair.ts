import { Duplex } from "node:stream";

/** Two ends of a pipe in memory. Each holds so many bytes for its reader, then the other's writes have to wait. */
export function memoryPair(highWaterMark: number): [Duplex, Duplex] {
	const left = new MemoryEnd(highWaterMark);
	const right = new MemoryEnd(highWaterMark);
	left.peer = right;
	right.peer = left;
	return [left, right];
}

class MemoryEnd extends Duplex {
	peer: MemoryEnd | undefined;
	#resumePeer: (() => void) | undefined;

	constructor(highWaterMark: number) {
		super({ highWaterMark });
	}

	override _read(): void {
		const resume = this.#resumePeer;
		this.#resumePeer = undefined;
		resume?.();
	}

	override _write(chunk: Buffer, _encoding: string, done: () => void): void {
		// In a later turn: neither side's listeners run inside the other's calls.
		process.nextTick(() => {
			const { peer } = this;
			if (!peer || peer.destroyed || peer.readableEnded || peer.push(chunk)) done();
			else peer.#resumePeer = done;
		});
	}

	override _final(done: () => void): void {
		process.nextTick(() => {
			if (this.peer && !this.peer.destroyed) this.peer.push(null);
			done();
		});
	}

	override _destroy(error: Error | null, done: (error: Error | null) => void): void {
		const { peer } = this;
		this.peer = undefined;
		process.nextTick(() => peer?.destroy());
		this._read();
		done(error);
	}
}
