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
	const sorted = [...values].sort((a, b) => a - b);
	return {
		count: sorted.length,
		median: quantile(sorted, 0.5),
		min: quantile(sorted, 0),
		max: quantile(sorted, 1),
		lowerQuartile: quantile(sorted, 0.25),
		upperQuartile: quantile(sorted, 0.75),
	};
}

export function median(values: readonly number[]): number {
	return summarize(values).median;
}

/** Linear between the two nearest ranks (R's type 7, NumPy's default). */
function quantile(sorted: readonly number[], part: number): number {
	const rank = (sorted.length - 1) * part;
	const below = sorted[Math.floor(rank)];
	const above = sorted[Math.ceil(rank)];
	if (below === undefined || above === undefined) throw new RangeError("There is nothing to summarize");
	return below + (above - below) * (rank - Math.floor(rank));
}
