/** More than this many letters apart is no misspelling. */
const FARTHEST = 2;
const LONGEST = 64;

/** The candidate that `word` is most likely a misspelling of, if any. */
export function findNearestWord(word: string, candidates: Iterable<string>): string | undefined {
	if (word.length > LONGEST) return undefined;
	let nearest: string | undefined;
	let least = Math.min(FARTHEST, Math.floor(word.length / 2)) + 1;
	for (const candidate of candidates) {
		if (Math.abs(candidate.length - word.length) >= least) continue;
		const distance = editDistance(word, candidate);
		if (distance < least) {
			least = distance;
			nearest = candidate;
		}
	}
	return nearest;
}

/** Levenshtein's distance, two neighbouring letters swapped counting as one change. */
function editDistance(from: string, to: string): number {
	let before: number[] = [];
	let row = Array.from({ length: to.length + 1 }, (_, column) => column);
	for (let i = 1; i <= from.length; i++) {
		const next = [i];
		for (let j = 1; j <= to.length; j++) {
			const same = from[i - 1] === to[j - 1];
			let cost = Math.min((row[j - 1] ?? 0) + (same ? 0 : 1), (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1);
			const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
			if (swapped) cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
			next.push(cost);
		}
		before = row;
		row = next;
	}
	return row[to.length] ?? 0;
}
