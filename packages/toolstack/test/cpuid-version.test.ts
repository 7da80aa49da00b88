import { describe, expect, it } from "vitest";
import { cpuidLeaves } from "../src/domain/cpuid-policy.ts";

/** Bits 31 to 0 of eax, the processor's signature. */
const eax = (setting: string): string | undefined => cpuidLeaves([`host,${setting}`])[0]?.eax;

describe("a processor's family, model and stepping", () => {
	it("are put together as the manuals take them apart", () => {
		expect(eax("family=6,model=158,stepping=10")).toBe("xxxx00000000" + "1001" + "xxxx" + "0110" + "1110" + "1010");
		expect(eax("family=0x17")).toBe("xxxx00001000xxxxxxxx1111xxxxxxxx");
	});

	it("have limits", () => {
		for (const wrong of ["family=271", "model=256", "stepping=16", "stepping=", "model=x", "family=-1"])
			expect(() => cpuidLeaves([`host,${wrong}`])).toThrow(/no number that fits/);
	});
});
