import { ProtocolError } from "@bulkhead/base";
import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { ConsoleRing } from "../src/ring/console-ring.ts";

function page(counters: { ic?: number; ip?: number; oc?: number; op?: number } = {}): ArrayBuffer {
	const buffer = new ArrayBuffer(4096);
	const view = new DataView(buffer);
	view.setUint32(3072, counters.ic ?? 0, true);
	view.setUint32(3076, counters.ip ?? 0, true);
	view.setUint32(3080, counters.oc ?? 0, true);
	view.setUint32(3084, counters.op ?? 0, true);
	return buffer;
}

describe("ConsoleRing", () => {
	it("lies where io/console.h says", () => {
		const buffer = page({ oc: 2047, op: 2049, ip: 1023, ic: 1023 });
		const bytes = new Uint8Array(buffer);
		bytes[1024 + 2047] = 65;
		bytes[1024] = 66;
		const ring = new ConsoleRing(buffer);
		expect(ring.pendingOutput()).toBe(2);
		expect([...ring.copyOutput(2)]).toEqual([65, 66]);
		expect(new DataView(buffer).getUint32(3080, true)).toBe(2047);
		ring.consumeOutput(2);
		expect(new DataView(buffer).getUint32(3080, true)).toBe(2049);
		expect(ring.produceInput(Uint8Array.of(1, 2))).toBe(2);
		expect([bytes[1023], bytes[0]]).toEqual([1, 2]);
		expect(new DataView(buffer).getUint32(3076, true)).toBe(1025);
	});

	test.prop([fc.integer({ min: 0, max: 0xffff_ffff }), fc.uint8Array({ maxLength: 1500 })])(
		"takes no more input than fits, across the wrap of the counter",
		(start, bytes) => {
			const buffer = page({ ic: start, ip: start });
			const ring = new ConsoleRing(buffer);
			const count = ring.produceInput(bytes);
			expect(count).toBe(Math.min(1024, bytes.length));
			expect(ring.inputSpace()).toBe(1024 - count);
			const words = new Uint32Array(buffer);
			expect(words[769]).toBe((start + count) >>> 0);
			const raw = new Uint8Array(buffer);
			for (let at = 0; at < count; at++) expect(raw[(start + at) % 1024]).toBe(bytes[at]);
		},
	);

	it("accepts a full ring and refuses one byte more", () => {
		expect(new ConsoleRing(page({ oc: 0xffff_ff00, op: 0xffff_ff00 + 2048 })).pendingOutput()).toBe(2048);
		expect(() => new ConsoleRing(page({ op: 2049 }))).toThrow(ProtocolError);
		expect(new ConsoleRing(page({ ip: 1024 })).inputSpace()).toBe(0);
		expect(() => new ConsoleRing(page({ ip: 1025 }))).toThrow(ProtocolError);
	});

	it("keeps its own counters when the guest rewrites them", () => {
		const buffer = page({ op: 10 });
		const ring = new ConsoleRing(buffer);
		const view = new DataView(buffer);
		view.setUint32(3080, 0xdead_beef, true);
		view.setUint32(3076, 0xdead_beef, true);
		expect(ring.pendingOutput()).toBe(10);
		expect(ring.inputSpace()).toBe(1024);
		ring.consumeOutput(10);
		expect(view.getUint32(3080, true)).toBe(10);
	});

	test.prop([fc.integer({ min: 0, max: 0xffff_ffff }), fc.integer({ min: 0, max: 0xffff_ffff })])(
		"never believes an impossible amount",
		(produced, consumed) => {
			const buffer = page();
			const ring = new ConsoleRing(buffer);
			const view = new DataView(buffer);
			view.setUint32(3084, produced, true);
			view.setUint32(3072, consumed, true);
			if (produced > 2048) expect(() => ring.pendingOutput()).toThrow(ProtocolError);
			else expect(ring.pendingOutput()).toBe(produced);
			const used = -consumed >>> 0;
			if (used > 1024) expect(() => ring.inputSpace()).toThrow(ProtocolError);
			else expect(ring.inputSpace()).toBe(1024 - used);
		},
	);
});
