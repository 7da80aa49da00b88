/** A number below the given one. */
export type Choose = (below: number) => number;

/** xorshift32: the same seed, the same numbers. */
export function seededChoose(seed: number): Choose {
	let state = seed >>> 0 || 1;
	return (below) => {
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		return (state >>> 0) % below;
	};
}

export function pick<T>(choose: Choose, items: readonly T[]): T {
	return items[choose(items.length)] as T;
}

const TEXTS = [
	"",
	"running",
	"ide-5632",
	"\u001b[2J",
	"\u009b31m",
	"\ud800",
	"__proto__",
	"x".repeat(300),
	"é√",
] as const;
const KEYS = [
	...(["return", "error", "event", "id", "data", "timestamp", "QMP", "execute", "exec-oob", "arguments"] as const),
	...([
		"class",
		"desc",
		"status",
		"running",
		"fdset-id",
		"fds",
		"opaque",
		"device",
		"constructor",
		"toString",
	] as const),
] as const;

/** Any JSON, more likely of QMP's own keys. */
export function makeValue(choose: Choose, depth = 0): unknown {
	switch (choose(depth > 5 ? 5 : 8)) {
		case 0:
			return pick(choose, TEXTS);
		case 1:
			return pick(choose, [0, 1, 2, -1, 1.5, 2 ** 53, 1e300, -0]);
		case 2:
			return choose(2) === 0;
		case 3:
			return null;
		case 4:
			return choose(2 ** 31);
		case 5:
			return Array.from({ length: choose(4) }, () => makeValue(choose, depth + 1));
		default:
			return Object.fromEntries(
				Array.from({ length: choose(5) }, () => [pick(choose, KEYS), makeValue(choose, depth + 1)]),
			);
	}
}

const HONEST: readonly object[] = [
	{ QMP: { version: { qemu: { major: 7, minor: 2, micro: 1 }, package: "" }, capabilities: ["oob"] } },
	{ return: { running: true, singlestep: false, status: "running" }, id: 3 },
	{ return: [{ "fdset-id": 2, fds: [{ fd: 12, opaque: "stub-devid:5632" }] }], id: 4 },
	{ error: { class: "GenericError", desc: "no" }, id: 5 },
	{ event: "SHUTDOWN", data: { guest: true, reason: "guest-shutdown" }, timestamp: { seconds: 1, microseconds: 2 } },
	{ execute: "query-status", id: "a" },
	{ "exec-oob": "query-yank" },
	{ execute: "eject", arguments: { id: "ide-5632", force: true }, id: [1, { x: null }] },
];

/** A line, newline included: honest, mutated, nested, or noise. */
export function makeLine(choose: Choose): Buffer {
	const kind = choose(10);
	if (kind === 0) return Buffer.from(`${"[".repeat(choose(200))}${"]".repeat(choose(200))}\n`);
	if (kind === 1) return Buffer.concat([Buffer.from(Array.from({ length: choose(60) }, () => choose(256))), NEWLINE]);
	const value = kind < 6 ? pick(choose, HONEST) : makeValue(choose);
	const line = Buffer.from(`${JSON.stringify(value)}\r\n`);
	for (let flips = kind % 2 === 0 ? choose(4) : 0; flips > 0; flips--) line[choose(line.length)] = choose(256);
	return line;
}

const NEWLINE: Buffer = Buffer.from("\n");
