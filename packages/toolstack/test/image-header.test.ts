import { IMAGE_FORMATS } from "@bulkhead/hypervisor";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HEADER_BYTES, imageHeaderProblem } from "../src/devices/image-header.ts";
import { qcow2Head, qcowHead, qedHead, vhdFooter } from "./images.ts";

const NOTHING = Buffer.alloc(HEADER_BYTES);

describe("imageHeaderProblem", () => {
	it.each([
		["qcow2", qcow2Head(), NOTHING],
		["qcow2", qcow2Head({ version: 2, incompatible: 4n }), NOTHING],
		["qcow", qcowHead(), NOTHING],
		["qed", qedHead(), NOTHING],
		["vhd", vhdFooter(3), vhdFooter(3)],
		["vhd", NOTHING, vhdFooter(2)],
	] as const)("has nothing against a %s image that stands alone", (format, head, tail) => {
		expect(imageHeaderProblem(format, head, tail)).toBeUndefined();
	});

	it.each([
		["qcow2", qcow2Head({ backing: 512n }), "a backing file"],
		["qcow2", qcow2Head({ version: 2, backing: 1n }), "a backing file"],
		["qcow2", qcow2Head({ incompatible: 4n }), "another file"],
		["qcow2", qcow2Head({ encrypted: 2 }), "encrypted"],
		["qcow2", qcow2Head({ version: 4 }), "no image of that format"],
		["qcow2", qcowHead(), "no image of that format"],
		["qcow", qcowHead({ backing: 48n }), "a backing file"],
		["qcow", qcowHead({ encrypted: 1 }), "encrypted"],
		["qcow", qcow2Head(), "no image of that format"],
		["qed", qedHead(1n), "a backing file"],
		["qed", NOTHING, "no image of that format"],
		["vhd", vhdFooter(4), "a parent image"],
		["vhd", NOTHING, "no image of that format"],
	] as const)("refuses a %s image (%#): %s", (format, head, why) => {
		expect(imageHeaderProblem(format, head, NOTHING)).toContain(why);
	});

	it("answers whatever a file begins with, however short it is", () => {
		const bytes = fc.uint8Array({ maxLength: HEADER_BYTES }).map((each) => Buffer.from(each));
		const heads = fc.constantFrom(qcow2Head(), qcowHead(), qedHead(), vhdFooter(3));
		const cut = fc.tuple(heads, fc.nat(HEADER_BYTES)).map(([head, length]) => head.subarray(0, length));
		fc.assert(
			fc.property(fc.constantFrom(...IMAGE_FORMATS), fc.oneof(bytes, cut), bytes, (format, head, tail) => {
				const problem = imageHeaderProblem(format, head, tail);
				expect(problem === undefined || problem.length > 0).toBe(true);
			}),
		);
	});
});
