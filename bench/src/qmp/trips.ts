/** Round trips of one round. */
export interface Trips {
	perSecond: number;
	/** Milliseconds of each. */
	ms: number[];
}

/** What trips.c prints: nanoseconds, of all together, then of each. @throws RangeError */
export function parseTrips(line: string): Trips {
	const [all = Number.NaN, ...each] = line.split(" ").map(Number);
	if (each.length === 0 || !(all > 0)) throw new RangeError(`There are no round trips in ${JSON.stringify(line)}`);
	return { perSecond: (each.length * 1e9) / all, ms: each.map((ns) => ns / 1e6) };
}
