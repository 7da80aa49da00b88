export type RingSize = "default" | "64k" | "256k";

interface Rings {
	/** Bytes of the ring that the client writes to. */
	left: number;
	/** Of the one that it reads from. */
	right: number;
	/** Sent one way in each round. */
	bytes: number;
}

const KIB = 1024;

export const RING_SIZES: Record<RingSize, Rings> = {
	default: { left: KIB, right: 2 * KIB, bytes: 512 * KIB },
	"64k": { left: 64 * KIB, right: 64 * KIB, bytes: 4096 * KIB },
	"256k": { left: 256 * KIB, right: 256 * KIB, bytes: 8192 * KIB },
};

export const RING_SIZE_NAMES: readonly RingSize[] = Object.keys(RING_SIZES) as RingSize[];

export function describeRings(size: RingSize): string {
	const { left, right } = RING_SIZES[size];
	if (size === "default") return `${left} and ${right} bytes (libxenvchan's own default, and what stub domains offer)`;
	return `${left / KIB} KiB each`;
}
