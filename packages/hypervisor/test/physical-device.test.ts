import { physicalDevice } from "@bulkhead/hypervisor";
import { describe, expect, it } from "vitest";

describe("physicalDevice", () => {
	it.each([
		[0x0700, "7:0"],
		[0x0801, "8:1"],
		[0x0710, "7:10"],
		// A minor above 255 has its high bits above the major's low ones.
		[0x10_0700, "7:100"],
	])("writes dev_t %i as %s", (rdev, expected) => {
		expect(physicalDevice(rdev)).toBe(expected);
	});
});
