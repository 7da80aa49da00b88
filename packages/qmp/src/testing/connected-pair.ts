import { Duplex } from "node:stream";

/** Two ends of a pipe in memory: bytes go across in a later turn of the event loop, with back-pressure. */
export function connectedPair(options: { highWaterMark?: number } = {}): [Duplex, Duplex] {
	const left = new PipeEnd(options);
	const right = new PipeEnd(options);
	left.peer = right;
	right.peer = left;
	return [left, right];
}

class PipeEnd extends Duplex {
	peer: PipeEnd | undefined;
	#resume: (() => void) | undefined;

	constructor({ highWaterMark }: { highWaterMark?: number }) {
		super({ allowHalfOpen: false, ...(highWaterMark !== undefined && { highWaterMark }) });
	}

	override _read(): void {
		const resume = this.#resume;
		this.#resume = undefined;
		resume?.();
	}

	override _write(chunk: Buffer, _encoding: string, done: () => void): void {
		setImmediate(() => this.peer?.accept(Buffer.from(chunk), done));
	}

	override _final(done: () => void): void {
		setImmediate(() => {
			this.peer?.finish();
			done();
		});
	}

	override _destroy(error: Error | null, done: (error: Error | null) => void): void {
		setImmediate(() => this.peer?.finish());
		done(error);
	}

	accept(chunk: Buffer, done: () => void): void {
		if (this.destroyed || this.readableEnded || this.push(chunk)) done();
		else this.#resume = done;
	}

	finish(): void {
		if (!this.destroyed) this.push(null);
	}
}
