export type End = "c" | "bulkhead";
/** Client first, server second. */
export type PairName = "C – C" | "our client – C" | "C – our server" | "ours – ours";
/** Where the server is; the client is in dom0. */
export type Place = "dom0" | "guest";

export const PAIRS: Record<PairName, { client: End; server: End }> = {
	"C – C": { client: "c", server: "c" },
	"our client – C": { client: "bulkhead", server: "c" },
	"C – our server": { client: "c", server: "bulkhead" },
	"ours – ours": { client: "bulkhead", server: "bulkhead" },
};

export const PAIR_NAMES: readonly PairName[] = Object.keys(PAIRS) as PairName[];
/** What the others are compared with. */
export const BASELINE: PairName = "C – C";

/** In the guest C serves, as in stub domains: it has no Node. */
export const PAIRS_AT: Record<Place, readonly PairName[]> = {
	dom0: PAIR_NAMES,
	guest: PAIR_NAMES.filter((name) => PAIRS[name].server === "c"),
};
export const PLACES: readonly Place[] = Object.keys(PAIRS_AT) as Place[];
