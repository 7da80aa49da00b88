import { ProtocolError } from "@bulkhead/base";
import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { OFFSET, PAGE_BYTES, readLayout } from "../src/layout.ts";

function pageWith(leftOrder: number, rightOrder: number, grefs: number[] = []): Uint8Array {
	const page = new Uint8Array(PAGE_BYTES);
	const view = new DataView(page.buffer);
	view.setUint16(OFFSET.leftOrder, leftOrder, true);
	view.setUint16(OFFSET.rightOrder, rightOrder, true);
	for (const [index, gref] of grefs.entries()) view.setUint32(OFFSET.grants + 4 * index, gref, true);
	return page;
}

describe("readLayout", () => {
	it("puts rings of 1 and 2 KiB into the control page", () => {
		expect(readLayout(pageWith(10, 11))).toEqual({
			left: { kind: "in-page", offset: 1024, sizeBytes: 1024 },
			right: { kind: "in-page", offset: 2048, sizeBytes: 2048 },
		});
	});

	it("lists the left ring's pages first, then the right's", () => {
		expect(readLayout(pageWith(13, 12, [70, 71, 72]))).toEqual({
			left: { kind: "granted", grefs: [70, 71], sizeBytes: 8192 },
			right: { kind: "granted", grefs: [72], sizeBytes: 4096 },
		});
	});

	it("reads the references of the largest rings within the page", () => {
		const { left, right } = readLayout(pageWith(20, 20));
		expect([left.sizeBytes, right.sizeBytes]).toEqual([1 << 20, 1 << 20]);
		expect(left.kind === "granted" && left.grefs.length).toBe(256);
		expect(right.kind === "granted" && right.grefs.length).toBe(256);
	});

	it.each([
		[9, 11],
		[10, 10],
		[11, 11],
		[21, 12],
		[12, 21],
		[0, 0],
		[10, 20],
		[20, 10],
		[65535, 12],
	])("refuses the orders %i and %i", (left, right) => {
		expect(() => readLayout(pageWith(left, right))).toThrow(ProtocolError);
	});

	property.prop([fc.uint8Array({ minLength: PAGE_BYTES, maxLength: PAGE_BYTES })])(
		"any page yields sane rings or a ProtocolError",
		(page) => {
			try {
				for (const place of Object.values(readLayout(page))) {
					expect(place.sizeBytes).toBeLessThanOrEqual(1 << 20);
					if (place.kind === "granted") expect(place.grefs.length * PAGE_BYTES).toBe(place.sizeBytes);
				}
			} catch (error) {
				expect(error).toBeInstanceOf(ProtocolError);
			}
		},
	);
});
