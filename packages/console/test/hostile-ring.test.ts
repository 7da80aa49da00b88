import type { ProtocolError } from "@bulkhead/base";
import { fc, test } from "@fast-check/vitest";
import { describe, expect, it, onTestFinished } from "vitest";
import { ConsoleBackend } from "../src/backend/console-backend.ts";
import { Journal } from "../src/journal/journal.ts";
import { FairTurns } from "../src/ring/fair-turns.ts";
import { CONSOLE_PAGE as PAGE } from "../src/ring/layout.ts";
import { FakeFrontend, FakeRingHost } from "../src/testing/index.ts";
import { temporaryDirectory } from "./temporary-directory.ts";
import { until } from "./until.ts";

const SEGMENT_BYTES = 4096;
const COUNTERS = ["inputConsumed", "inputProduced", "outputConsumed", "outputProduced"] as const;

interface Served {
	frontend: FakeFrontend;
	backend: ConsoleBackend;
	broken: ProtocolError[];
	turns(): number;
}

/** Consoles of one relay, each with a guest of its own at the other end. */
function serve(count: number): { host: FakeRingHost; consoles: Served[] } {
	const host = new FakeRingHost();
	const turns = new FairTurns();
	const consoles = Array.from({ length: count }, (_, index): Served => {
		const frontend = new FakeFrontend(host, { domid: index + 1, gref: 8, port: 3 });
		const broken: ProtocolError[] = [];
		let taken = 0;
		const backend = ConsoleBackend.attach({
			evtchns: host.evtchns,
			grants: host.grants,
			domid: frontend.domid,
			gref: frontend.gref,
			remotePort: frontend.port,
			ringId: `boot/${index}`,
			journal: Journal.open({ directory: temporaryDirectory(), label: "pv", segmentBytes: SEGMENT_BYTES }),
			onBroken: (error) => broken.push(error),
			schedule: (turn) =>
				turns.plan(() => {
					taken++;
					turn();
				}),
		});
		return { frontend, backend, broken, turns: () => taken };
	});
	onTestFinished(() => {
		for (const { backend } of consoles) backend.release();
		host.assertIdle();
	});
	return { host, consoles };
}

const u32 = fc.oneof(
	fc.integer({ min: 0, max: 0xffff_ffff }),
	fc.constantFrom(0, 1, 1024, 1025, 2048, 2049, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff),
);
const trick = fc.oneof(
	fc.record({ kind: fc.constant("poke" as const), counter: fc.constantFrom(...COUNTERS), value: u32 }),
	fc.record({
		kind: fc.constant("step" as const),
		counter: fc.constantFrom(...COUNTERS),
		by: fc.integer({ min: -3000, max: 3000 }),
	}),
	fc.record({ kind: fc.constant("scribble" as const), bytes: fc.uint8Array({ maxLength: 64 }), offset: fc.nat(4032) }),
	fc.record({ kind: fc.constant("write" as const), bytes: fc.nat(5000) }),
	fc.record({ kind: fc.constant("type" as const), bytes: fc.nat(3000) }),
	fc.record({ kind: fc.constant("notify" as const) }),
	fc.record({ kind: fc.constant("wait" as const) }),
);

describe("a hostile guest's ring", () => {
	test.prop([fc.array(trick, { maxLength: 60 })], { numRuns: 150 })(
		"breaks at most itself: what is kept is bounded, it is given up once, and a neighbour is served on",
		async (tricks) => {
			const { consoles } = serve(2);
			const [hostile, neighbour] = consoles;
			if (!hostile || !neighbour) throw new Error("Two are served");
			const { frontend, backend } = hostile;
			const values: Record<(typeof COUNTERS)[number], number> = {
				inputConsumed: 0,
				inputProduced: 0,
				outputConsumed: 0,
				outputProduced: 0,
			};
			// Its driver would trip over counters that it has spoilt itself.
			frontend.takesInput = false;
			let looks = 0;
			for (const each of tricks) {
				if (each.kind === "poke") values[each.counter] = each.value;
				if (each.kind === "step") values[each.counter] = (values[each.counter] + each.by) >>> 0;
				if (each.kind === "poke" || each.kind === "step") frontend.poke(each.counter, values[each.counter]);
				if (each.kind === "scribble") frontend.scribble(each.bytes, each.offset);
				if (each.kind === "write") frontend.write(Buffer.alloc(each.bytes, 65));
				if (each.kind === "type") backend.type(nobody, Buffer.alloc(each.bytes, 66));
				if (each.kind === "notify") frontend.notify();
				if (each.kind === "wait") await new Promise(setImmediate);
				looks++;
			}
			neighbour.frontend.write(Buffer.from("all is well"));
			await until("the neighbour", () => neighbour.backend.journal.end === 11);
			expect(hostile.broken.length).toBe(backend.ended === undefined ? 0 : 1);
			expect(neighbour.broken).toEqual([]);
			// Each look takes what one ring can hold, and is followed by none if it was impossible.
			expect(backend.journal.end).toBeLessThanOrEqual((hostile.turns() + looks + 1) * 32 * 1024);
			expect(backend.journal.end - backend.journal.start).toBeLessThanOrEqual(2 * SEGMENT_BYTES + PAGE.outputBytes);
		},
	);

	it("whose indices run backwards is given up, not read as four billion bytes", async () => {
		const [{ frontend, backend, broken }] = serve(1).consoles as [Served];
		frontend.write(Buffer.alloc(500, 1));
		await until("output", () => backend.journal.end === 500);
		frontend.poke("outputProduced", 499);
		await until("the end", () => broken.length === 1);
		expect(broken[0]?.message).toBe("Console output ring claims to hold 4294967295 bytes");
		expect(backend.journal.end).toBe(500);
	});

	it("that changes while it is read gives up to a ring of nonsense a look, and no more", async () => {
		const [{ frontend, backend, broken }] = serve(1).consoles as [Served];
		for (let at = 1; at <= 200; at++) {
			frontend.scribble(Buffer.alloc(PAGE.outputBytes, at), PAGE.outputOffset);
			frontend.poke("outputProduced", at * 17);
			if (at % 7 === 0) await new Promise(setImmediate);
		}
		await until("what was announced", () => backend.journal.end === 200 * 17);
		expect(broken).toEqual([]);
	});

	it("that only notifies costs a look now and then, and is listened to again once it is quiet", async () => {
		const { host, consoles } = serve(1);
		const [{ frontend, backend, turns }] = consoles as [Served];
		const end = performance.now() + 400;
		let notified = 0;
		while (performance.now() < end) {
			frontend.notify();
			notified++;
			await new Promise(setImmediate);
		}
		expect(notified).toBeGreaterThan(200);
		// 51 as they came, then one each 4, 8, 16, 20, 20 … ms.
		expect(turns()).toBeLessThan(90);
		frontend.write(Buffer.from("!"));
		await until("the byte", () => backend.journal.end === 1);
		await until("it is listened to", () => host.hears(frontend.domid, frontend.port));
		const before = turns();
		frontend.write(Buffer.from("?"));
		await new Promise(setImmediate);
		await new Promise(setImmediate);
		expect([turns() - before, backend.journal.end]).toEqual([1, 2]);
	});

	it("that notifies for each byte loses none of them", async () => {
		const [{ frontend, backend, turns }] = serve(1).consoles as [Served];
		const bytes = 5000;
		for (let at = 0; at < bytes; at++) {
			frontend.write(Buffer.from([at]));
			await new Promise(setImmediate);
		}
		await until("every byte", () => backend.journal.end === bytes);
		expect(turns()).toBeLessThan(bytes / 2);
		expect(frontend.backlog).toBe(0);
	});
});

const nobody = { delivered() {}, overtaken() {}, roomAgain() {} };
