import type { MemoryRegion } from "@bulkhead/hypervisor";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { guestMemoryMap } from "../src/domain/guest-memory-map.ts";

const GIB = 2 ** 30;
const HOST: MemoryRegion[] = [
	{ start: 0, size: 0x9_fc00, type: "ram" },
	{ start: 0xf_0000, size: 0x1_0000, type: "reserved" },
	{ start: 0x10_0000, size: 3 * GIB - 0x10_0000, type: "ram" },
	{ start: 3 * GIB, size: 0x1000, type: "acpi" },
	{ start: 0xfec0_0000, size: 0x1000, type: "reserved" },
	{ start: 4 * GIB, size: 12 * GIB, type: "ram" },
];

describe("guestMemoryMap", () => {
	it("puts the guest's memory around the host's devices", () => {
		expect(guestMemoryMap(HOST, GIB)).toEqual([
			{ start: 0, size: GIB, type: "ram" },
			{ start: GIB, size: 2 * GIB, type: "unusable" },
			{ start: 3 * GIB, size: 0x1000, type: "acpi" },
			{ start: 0xfec0_0000, size: 0x1000, type: "reserved" },
		]);
		expect(guestMemoryMap(HOST, 5 * GIB).at(-1)).toEqual({ start: 4 * GIB, size: 2 * GIB, type: "ram" });
	});

	it("holds exactly the guest's memory, and none where the host has something else", () => {
		const region = fc.record({
			start: fc.integer({ min: 0, max: 16 * GIB }),
			size: fc.integer({ min: 0, max: 4 * GIB }),
			type: fc.constantFrom("ram" as const, "reserved" as const, "acpi" as const, "nvs" as const, "unusable" as const),
		});
		fc.assert(
			fc.property(fc.array(region, { maxLength: 20 }), fc.integer({ min: 2 ** 22, max: 64 * GIB }), (host, memory) => {
				const map = guestMemoryMap(host, memory);
				const ram = map.filter(({ type }) => type === "ram");
				expect(ram.reduce((sum, { size }) => sum + size, 0)).toBe(memory);
				for (const { start, size } of ram)
					for (const other of map.filter(({ type }) => type !== "ram"))
						expect(other.start >= start + size || other.start + other.size <= start).toBe(true);
			}),
		);
	});
});
