import { createCipheriv } from "node:crypto";

/** Bytes that look random and are the same everywhere: AES-128-CTR's key stream for a key made of the seed. */
export function pseudoRandomBytes(seed: number, sizeBytes: number): Buffer {
	const key = Buffer.alloc(16);
	key.writeUInt32BE(seed);
	return createCipheriv("aes-128-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(sizeBytes));
}
