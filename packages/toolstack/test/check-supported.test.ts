import type { GuestConfig } from "@bulkhead/xlcfg";
import { describe, expect, it } from "vitest";
import { checkSupported, MISSING_FEATURES } from "../src/check-supported.ts";
import { hvmConfig, pvConfig } from "./fixtures.ts";

describe("checkSupported", () => {
	it("lets configs pass that ask for nothing special", () => {
		expect(() => checkSupported(hvmConfig())).not.toThrow();
		expect(() => checkSupported(pvConfig())).not.toThrow();
	});

	it("names everything that is asked for and not built, at once", () => {
		const config = hvmConfig({ gfxPassthru: "igd", rdm: { strategy: "host", policy: "strict" }, vnuma: [["pnode=0"]] });
		const error = catchError(config);
		expect(error).toMatchObject({
			code: "unsupported-feature",
			message:
				"Handing over a graphics card (gfx_passthru) is not supported: it has never been tried on hardware (nor: vnuma, rdm)",
			fields: {
				features: [
					{ key: "gfx_passthru", what: "Handing over a graphics card", remedy: "Remove gfx_passthru" },
					{ key: "vnuma" },
					{ key: "rdm" },
				],
			},
		});
	});

	it("has a remedy in every row", () => {
		for (const { key, what, remedy } of MISSING_FEATURES) {
			expect(key).toMatch(/^[a-z0-9_]+$/);
			expect(what.length * remedy.length).toBeGreaterThan(0);
		}
	});
});

function catchError(config: GuestConfig): unknown {
	try {
		checkSupported(config);
	} catch (error) {
		return error;
	}
	return undefined;
}
