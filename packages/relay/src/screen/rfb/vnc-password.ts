import { createCipheriv, timingSafeEqual } from "node:crypto";

export const CHALLENGE_BYTES = 16;
/** Of a password: the rest has no meaning to any viewer. */
const KEY_BYTES = 8;

/**
 * What a viewer that knows the password answers to a challenge (RFC 6143 §7.2.2): its two halves encrypted by DES. The
 * key is the password, cut or filled with zeros to 8 bytes, the bits of each byte in reverse: the first programs took
 * them so. Single DES is what triple DES does with one key three times.
 */
export function answerChallenge(password: string, challenge: Buffer): Buffer {
	const key = Buffer.alloc(KEY_BYTES);
	Buffer.from(password, "utf8").copy(key);
	const mirrored = key.map(mirrorBits);
	const cipher = createCipheriv("des-ede3-ecb", Buffer.concat([mirrored, mirrored, mirrored]), null);
	cipher.setAutoPadding(false);
	return Buffer.concat([cipher.update(challenge), cipher.final()]);
}

/** In a time that tells nothing of where they differ. */
export function isRightAnswer(password: string, challenge: Buffer, answer: Buffer): boolean {
	return answer.length === CHALLENGE_BYTES && timingSafeEqual(answerChallenge(password, challenge), answer);
}

function mirrorBits(byte: number): number {
	let mirrored = 0;
	for (let bit = 0; bit < 8; bit++) mirrored |= ((byte >> bit) & 1) << (7 - bit);
	return mirrored;
}
