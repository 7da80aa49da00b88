import { describe, expect, it } from "vitest";
import { smbiosNodes } from "../src/domain/smbios-strings.ts";

describe("smbiosNodes", () => {
	it("has hvmloader's names, and numbers OEM strings", () => {
		const given = ["system_product_name=A=B", "oem=first", "baseboard_location_in_chassis=top", "oem=second"];
		expect(smbiosNodes(given)).toEqual({
			"system-product-name": "A=B",
			"oem-1": "first",
			"baseboard-location-in-chassis": "top",
			"oem-2": "second",
		});
	});

	it("refuses what hvmloader would pass over", () => {
		expect(() => smbiosNodes(["system_colour=red"])).toThrow(/knows no SMBIOS string "system_colour"/);
		expect(() => smbiosNodes(Array.from({ length: 100 }, () => "oem=x"))).toThrow(/99 OEM strings/);
	});
});
