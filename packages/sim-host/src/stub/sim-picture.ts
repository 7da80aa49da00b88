const CELL = 16;

/** What a simulated guest's screen shows: a gradient, and a square in a colour of its own for each key typed. */
export class SimPicture {
	readonly width = 320;
	readonly height = 200;
	readonly name: string;
	/** Red, green, blue, row by row. */
	readonly pixels: Uint8Array = new Uint8Array(3 * this.width * this.height);
	/** Counts changes. */
	version = 0;
	readonly #watchers = new Set<() => void>();
	#cells = 0;

	constructor(name: string) {
		this.name = name;
		for (let y = 0; y < this.height; y++)
			for (let x = 0; x < this.width; x++) this.#paint(x, y, [0, y, (x * 255) / this.width]);
	}

	/** @returns what ends it */
	onChange(changed: () => void): () => void {
		this.#watchers.add(changed);
		return () => this.#watchers.delete(changed);
	}

	type(keysym: number): void {
		const perRow = Math.floor(this.width / CELL);
		const cell = this.#cells++ % (perRow * Math.floor(this.height / CELL));
		const [left, top] = [(cell % perRow) * CELL, Math.floor(cell / perRow) * CELL];
		for (let y = top; y < top + CELL; y++)
			for (let x = left; x < left + CELL; x++) this.#paint(x, y, [255, keysym & 0xff, (keysym >> 8) & 0xff]);
		this.version++;
		for (const changed of this.#watchers) changed();
	}

	#paint(x: number, y: number, colour: readonly number[]): void {
		this.pixels.set(colour, 3 * (y * this.width + x));
	}
}
