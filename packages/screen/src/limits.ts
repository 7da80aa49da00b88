/** What a screen may be and say: whoever is at the other end is not trusted. */
export const SCREEN_LIMITS = {
	/** Of each side, in pixels. */
	side: 16_384,
	/** Of a whole screen, in pixels: 4096 by 4096, 64 MiB on the wire. */
	pixels: 16_777_216,
	/** Of a screen's name, and of a reason for a refusal, in bytes. */
	textBytes: 4096,
	/** Of text that the guest has cut, in bytes: it is passed over. */
	cutTextBytes: 1_048_576,
} as const;
