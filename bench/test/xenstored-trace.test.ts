import { describe, expect, it } from "vitest";
import { readTrace } from "../src/create/xenstored-trace.ts";

const AT = "20261121 03:44:15";
const MARKER = "/mark";
const trace = (...lines: string[]): string => lines.join("\n");

describe("readTrace", () => {
	it("gives a daemon's old connection to the toolstack because it introduces a domain", () => {
		const text = trace(
			`IN 0xa ${AT} READ (/local/domain/0/name )`,
			`IN 0xa ${AT} INTRODUCE (5 100 1 )`,
			"CREATE connection 0xd",
			`OUT 0xb ${AT} WATCH_EVENT (@introduceDomain domlist )`,
			`OUT 0xa ${AT} INTRODUCE (OK )`,
			`IN 0xd ${AT} READ (domid )`,
			`IN 0xb ${AT} DIRECTORY (backend )`,
		);
		expect(readTrace(text, MARKER)).toEqual([
			{ toolstack: 2, domains: 1, host: 1, operations: { READ: 1, INTRODUCE: 1 }, connections: 0 },
		]);
	});

	it("gives new connections to the toolstack, also when xenstored uses a place again", () => {
		const text = trace(
			"CREATE connection 0xa",
			`IN 0xa ${AT} READ (/x )`,
			"DESTROY connection 0xa",
			"CREATE connection 0xa",
			`IN 0xa ${AT} WRITE (/x y)`,
		);
		const [counts] = readTrace(text, MARKER);
		expect(counts).toMatchObject({ toolstack: 2, connections: 2, operations: { READ: 1, WRITE: 1 } });
	});

	it("parts the trace at the marker and counts neither it nor xenstore-control", () => {
		const text = trace(
			`IN 0xa ${AT} INTRODUCE (5 100 1 )`,
			`OUT 0xa ${AT} INTRODUCE (OK )`,
			"CREATE connection 0xm",
			"CREATE connection 0x1",
			`IN 0x1 ${AT} READ (/mark )`,
			`OUT 0x1 ${AT} ERROR (ENOENT )`,
			`IN 0xa ${AT} RM (/local/domain/5 )`,
			`IN 0xc ${AT} CONTROL (log off )`,
		);
		expect(readTrace(text, MARKER)).toMatchObject([
			{ toolstack: 1, host: 0, operations: { INTRODUCE: 1 } },
			{ toolstack: 1, host: 0, operations: { RM: 1 } },
		]);
	});

	it("does not take an answer's or an event's payload for a request", () => {
		const text = trace(`OUT 0xa ${AT} READ (IN 0xb READ )`, "CREATE watch 0xf", "***", "");
		expect(readTrace(text, MARKER)).toEqual([{ toolstack: 0, domains: 0, host: 0, operations: {}, connections: 0 }]);
	});
});
