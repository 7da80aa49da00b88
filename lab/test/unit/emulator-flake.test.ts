import { describe, expect, it } from "vitest";
import { findEmulatorFlakes } from "../../src/emulator-flake.ts";

/** What Xen 4.17 printed for a guest that tripled on purpose (`cli; lidt 0; int3` in a boot sector), RIP left open. */
function tripleFault(vcpu: string, rip: string): string {
	return `(XEN) ${vcpu} Triple fault - invoking HVM shutdown action 1
(XEN) *** Dumping Dom258 vcpu#0 state: ***
(XEN) ----[ Xen-4.17.7  x86_64  debug=n  Not tainted ]----
(XEN) CPU:    0
(XEN) RIP:    0000:[<${rip}>]
(XEN) RFLAGS: 0000000000000002   CONTEXT: hvm guest (${vcpu})
(XEN) rax: 000000000000aa55   rbx: 0000000000000000   rcx: 0000000000000000
(XEN) ds: 0000   es: 0000   fs: 0000   gs: 0000   ss: 0000   cs: 0000
`;
}

const OWN_RIP = "0000000000007c06";

describe("findEmulatorFlakes", () => {
	it("finds a guest that faulted at an address of Xen's", () => {
		const dmesg = `(XEN) HVM d3v0 save: CPU\n${tripleFault("d3v0", "ffff82d0402a7e31")}(XEN) more\n`;
		expect(findEmulatorFlakes(dmesg)).toEqual([{ vcpu: "d3v0", rip: "ffff82d0402a7e31" }]);
	});

	it("leaves a guest alone that faulted by itself", () => {
		expect(findEmulatorFlakes(tripleFault("d258v0", OWN_RIP))).toEqual([]);
	});

	it("does not take one guest's registers for another's", () => {
		const both = tripleFault("d4v0", OWN_RIP) + tripleFault("d5v1", "ffff82d040200000");
		expect(findEmulatorFlakes(both)).toEqual([{ vcpu: "d5v1", rip: "ffff82d040200000" }]);
	});

	it.each([
		["ffff82d03fffffff", 0],
		["ffff82d040000000", 1],
		["ffff82d07fffffff", 1],
		["ffff82d080000000", 0],
	])("knows where Xen's text lies: %s", (rip, count) => {
		expect(findEmulatorFlakes(tripleFault("d1v0", rip))).toHaveLength(count);
	});

	it("asks for the registers and not only for the headline, and takes the serial log's line ends", () => {
		expect(findEmulatorFlakes("(XEN) d1v0 Triple fault - invoking HVM shutdown action 1\n")).toEqual([]);
		const serial = tripleFault("d1v0", "ffff82d0402a7e31").replaceAll("\n", "\r\n");
		expect(findEmulatorFlakes(serial)).toHaveLength(1);
	});
});
