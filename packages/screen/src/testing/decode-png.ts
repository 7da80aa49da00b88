import { decode } from "fast-png";
import type { Frame } from "../frame.ts";

/** The picture of a PNG file as `encodePng` makes them. @throws TypeError for another kind */
export function decodePng(bytes: Uint8Array): Frame {
	const { width, height, data, channels, depth } = decode(bytes);
	if (channels !== 3 || depth !== 8) throw new TypeError(`A PNG of ${channels} channels of ${depth} bits`);
	return { width, height, rgb: Uint8Array.from(data) };
}
