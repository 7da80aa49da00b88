import type { Operation } from "../../wire/operations.ts";
import { clientCount, HISTORY_ROOT, type HistoryShape, SLOTS, type Step } from "./history.ts";
import { seededNumbers } from "./seeded-numbers.ts";

/** Numbers that one step is made from. Any will do. */
export const CHOICES_PER_STEP = 10;

/** How often each request is asked, out of their sum. */
const WEIGHTS: readonly (readonly [Operation, number])[] = [
	["WRITE", 22],
	["READ", 12],
	["MKDIR", 8],
	["RM", 10],
	["DIRECTORY", 6],
	["DIRECTORY_PART", 3],
	["GET_PERMS", 4],
	["SET_PERMS", 12],
	["WATCH", 8],
	["UNWATCH", 4],
	["RESET_WATCHES", 1],
	["TRANSACTION_START", 8],
	["TRANSACTION_END", 14],
	["GET_DOMAIN_PATH", 1],
	["IS_DOMAIN_INTRODUCED", 1],
	["SET_TARGET", 1],
];
const NAMES = ["a", "b-1"];
/** No special names: 4.17's xenstored may end when permissions of an unknown one are set (it answers a stale errno). */
const BAD_PATHS = ["", "//", "/a//b", "/a/", "/a b", "a/", "/ä", `/${"x".repeat(2050)}`];
const BAD_PERMISSIONS = ["", "r", "x1", "r1x", "n", "b-"];

type Choose = (below: number) => number;

/** A step out of numbers: the same numbers make the same step, and smaller ones a simpler one. */
export function makeStep(shape: HistoryShape, choices: readonly number[]): Step {
	let at = 0;
	const choose: Choose = (below) => (choices[at++] ?? 0) % below;
	const client = choose(clientCount(shape));
	const operation = chooseOperation(choose);
	// Half of all requests are asked outside transactions, ends and starts aside.
	const isOutside = choose(2) === 0 && operation !== "TRANSACTION_END";
	const slot = isOutside ? 0 : ([1, 1, 1, 1, 2, 2, SLOTS][choose(7)] ?? 1);
	return { client, operation, strings: stringsFor(operation, shape, choose), slot: slotFor(operation, slot, choose) };
}

/** As long a history as wanted, the same for the same seed everywhere. */
export function randomHistory(shape: HistoryShape, seed: number, length: number): Step[] {
	const next = seededNumbers(seed);
	return Array.from({ length }, () => makeStep(shape, Array.from({ length: CHOICES_PER_STEP }, next)));
}

function chooseOperation(choose: Choose): Operation {
	let left = choose(WEIGHTS.reduce((sum, [, weight]) => sum + weight, 0));
	for (const [operation, weight] of WEIGHTS) {
		if (left < weight) return operation;
		left -= weight;
	}
	return "READ";
}

/** Starts are asked outside, but for one in ten. */
function slotFor(operation: Operation, slot: number, choose: Choose): number {
	return operation === "TRANSACTION_START" && choose(10) !== 9 ? 0 : slot;
}

/** Requests that take something else than one path. */
const STRINGS: Partial<Record<Operation, (shape: HistoryShape, choose: Choose) => string[]>> = {
	WRITE: (shape, choose) => [choosePath(shape, choose), chooseValue(choose)],
	DIRECTORY_PART: (shape, choose) => [choosePath(shape, choose), `${[0, 0, 2, 1000][choose(4)]}`],
	SET_PERMS: (shape, choose) => [choosePath(shape, choose), ...choosePermissions(shape, choose)],
	WATCH: (shape, choose) => [choosePath(shape, choose), `token${choose(2)}`],
	UNWATCH: (shape, choose) => [choosePath(shape, choose), `token${choose(2)}`],
	RESET_WATCHES: () => [""],
	TRANSACTION_START: () => [""],
	TRANSACTION_END: (_, choose) => [["T", "T", "T", "T", "T", "F", "X"][choose(7)] ?? "T"],
	GET_DOMAIN_PATH: (_, choose) => [["0", "7", "-1", "x", "12x"][choose(5)] ?? "0"],
	IS_DOMAIN_INTRODUCED: ({ domids, stranger }, choose) => [`${[0, stranger, ...domids][choose(2 + domids.length)]}`],
	SET_TARGET: (shape, choose) => [chooseDomid(shape, choose), chooseDomid(shape, choose)],
};

function stringsFor(operation: Operation, shape: HistoryShape, choose: Choose): string[] {
	return STRINGS[operation]?.(shape, choose) ?? [choosePath(shape, choose)];
}

function choosePath({ domids }: HistoryShape, choose: Choose): string {
	const kind = choose(20);
	if (kind === 19) return BAD_PATHS[choose(BAD_PATHS.length)] ?? "";
	const depth = [1, 2, 3, 1, 2, 3, 0][choose(7)];
	const names = Array.from({ length: depth ?? 0 }, () => NAMES[choose(NAMES.length)]);
	// Relative to the client's own folder, or in another domain's.
	if (kind >= 17) return [HISTORY_ROOT, ...names].join("/");
	if (kind >= 15) return ["/local/domain", domids[choose(domids.length || 1)] ?? 0, HISTORY_ROOT, ...names].join("/");
	return ["", HISTORY_ROOT, ...names].join("/");
}

function chooseValue(choose: Choose): string {
	return ["", "1", "\0\xff", "value"][choose(4)] ?? "";
}

function choosePermissions(shape: HistoryShape, choose: Choose): string[] {
	const list = Array.from({ length: 1 + choose(3) }, () => `${"nrwb"[choose(4)]}${chooseDomid(shape, choose)}`);
	return choose(12) === 11 ? [...list, BAD_PERMISSIONS[choose(BAD_PERMISSIONS.length)] ?? ""] : list;
}

function chooseDomid({ domids, stranger }: HistoryShape, choose: Choose): string {
	return `${[0, ...domids, stranger][choose(domids.length + 2)]}`;
}
