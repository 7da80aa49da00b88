import { ProtocolError } from "@bulkhead/base";
import { SCREEN_LIMITS } from "./limits.ts";

export interface Rectangle {
	x: number;
	y: number;
	width: number;
	height: number;
}

/** A whole picture of a screen. */
export interface Frame {
	/** In pixels. */
	width: number;
	height: number;
	/** Red, green and blue of each pixel, one byte each, row by row from the top. */
	rgb: Uint8Array;
}

/** @throws ProtocolError when no screen may be so large, or so small */
export function checkSize(width: number, height: number): void {
	const { side, pixels } = SCREEN_LIMITS;
	if (width < 1 || height < 1 || width > side || height > side || width * height > pixels)
		throw new ProtocolError(`A screen of ${width} by ${height} pixels is none`, { fields: { width, height } });
}

/** A picture in the making: rectangles come in any order until each pixel has come. */
export class FrameBuilder {
	readonly width: number;
	readonly height: number;
	readonly #rgb: Uint8Array;
	readonly #seen: Uint8Array;
	#missing: number;

	/** @throws ProtocolError */
	constructor(width: number, height: number) {
		checkSize(width, height);
		this.width = width;
		this.height = height;
		this.#missing = width * height;
		this.#rgb = new Uint8Array(3 * this.#missing);
		this.#seen = new Uint8Array(this.#missing);
	}

	get isComplete(): boolean {
		return this.#missing === 0;
	}

	get frame(): Frame {
		return { width: this.width, height: this.height, rgb: this.#rgb };
	}

	/** @throws ProtocolError for a rectangle that is not within the screen */
	check({ x, y, width, height }: Rectangle): void {
		if (x + width > this.width || y + height > this.height)
			throw new ProtocolError("A part of the screen lies outside of it", { fields: { x, y, width, height } });
	}

	/** One row of a checked rectangle: four bytes a pixel, blue first. */
	putRow(x: number, y: number, pixels: Uint8Array): void {
		let at = y * this.width + x;
		for (let from = 0; from < pixels.length; from += 4, at++) {
			this.#rgb[3 * at] = pixels[from + 2] ?? 0;
			this.#rgb[3 * at + 1] = pixels[from + 1] ?? 0;
			this.#rgb[3 * at + 2] = pixels[from] ?? 0;
			if (this.#seen[at] === 0) this.#missing--;
			this.#seen[at] = 1;
		}
	}
}
