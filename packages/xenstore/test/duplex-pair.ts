import { Duplex } from "node:stream";

/** One end of a pair: what is written to one is read from the other. */
export class DuplexEnd extends Duplex {
	peer: DuplexEnd | undefined;

	override _read(): void {}

	override _write(chunk: Buffer, _encoding: string, done: () => void): void {
		this.peer?.push(chunk);
		done();
	}

	override _destroy(error: Error | null, done: (error: Error | null) => void): void {
		this.peer?.push(null);
		done(error);
	}
}

export function duplexPair(): [DuplexEnd, DuplexEnd] {
	const [a, b] = [new DuplexEnd(), new DuplexEnd()];
	a.peer = b;
	b.peer = a;
	return [a, b];
}
