/** What is told of a row of measurements, in their unit. */
export interface Summary {
	count: number;
	median: number;
	min: number;
	max: number;
	lowerQuartile: number;
	upperQuartile: number;
}

/** @throws RangeError without values */
export function summarize(values: readonly number[]): Summary {
	const sorted = ascending(values);
	return {
		count: sorted.length,
		median: ofSorted(sorted, 0.5),
		min: ofSorted(sorted, 0),
		max: ofSorted(sorted, 1),
		lowerQuartile: ofSorted(sorted, 0.25),
		upperQuartile: ofSorted(sorted, 0.75),
	};
}

export function median(values: readonly number[]): number {
	return summarize(values).median;
}

/** As `part` 0.99 the value that 99 % do not exceed. @throws RangeError without values */
export function quantile(values: readonly number[], part: number): number {
	return ofSorted(ascending(values), part);
}

/** The median of the ratios within each round, which load that changes slowly does not touch. */
export function pairedRatio(own: readonly number[], others: readonly number[]): number {
	return median(own.map((value, round) => value / (others[round] ?? Number.NaN)));
}

/** `median (lower quartile–upper quartile)` */
export function formatSummary({ median, lowerQuartile, upperQuartile }: Summary, digits = 0): string {
	return `${median.toFixed(digits)} (${lowerQuartile.toFixed(digits)}–${upperQuartile.toFixed(digits)})`;
}

function ascending(values: readonly number[]): number[] {
	return [...values].sort((a, b) => a - b);
}

/** Linear between the two nearest ranks (R's type 7, NumPy's default). */
function ofSorted(sorted: readonly number[], part: number): number {
	const rank = (sorted.length - 1) * part;
	const below = sorted[Math.floor(rank)];
	const above = sorted[Math.ceil(rank)];
	if (below === undefined || above === undefined) throw new RangeError("There is nothing to summarize");
	return below + (above - below) * (rank - Math.floor(rank));
}
