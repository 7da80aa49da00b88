import { decode } from "fast-png";
import type { Frame } from "../frame.ts";

/** The picture of a PNG file of 8 bits a colour; how transparent it is, is left out. @throws TypeError for another kind */
export function decodePng(bytes: Uint8Array): Frame {
	const { width, height, data, channels, depth } = decode(bytes);
	if ((channels !== 3 && channels !== 4) || depth !== 8) throw new TypeError(`A PNG of ${channels} by ${depth} bits`);
	const rgb = new Uint8Array(3 * width * height);
	for (let at = 0; at < width * height; at++) rgb.set(data.subarray(channels * at, channels * at + 3), 3 * at);
	return { width, height, rgb };
}
