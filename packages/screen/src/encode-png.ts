import { encode } from "fast-png";
import type { Frame } from "./frame.ts";

/** A picture as the bytes of a PNG file: eight bits a colour, no transparency. */
export function encodePng({ width, height, rgb }: Frame): Uint8Array {
	return encode({ width, height, data: rgb, channels: 3, depth: 8 });
}
