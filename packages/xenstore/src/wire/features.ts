/** Bits of a server's features (xs_wire.h, XENSTORE_SERVER_FEATURE_…). */
export const FEATURE = {
	/** A domain's ring can be connected anew. */
	reconnection: 1,
	/** The ring's page says what went wrong. */
	ringError: 2,
	/** WATCH takes a depth. */
	watchDepth: 4,
	/** ANY_DOMAIN in permission lists. */
	anyDomain: 8,
} as const;

export type Feature = keyof typeof FEATURE;

/** Names of the bits that are known; others are left out. */
export function featureNames(bits: number): Set<Feature> {
	return new Set((Object.keys(FEATURE) as Feature[]).filter((name) => (bits & FEATURE[name]) !== 0));
}

export function featureBits(features: Iterable<Feature>): number {
	let bits = 0;
	for (const name of features) bits |= FEATURE[name];
	return bits;
}
