import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findResidue, takeSnapshot } from "../../src/residue.ts";
import { SerialSession } from "../../src/serial-session.ts";
import { runInDom0 } from "./programs/run-in-dom0.ts";
import { ok, run, useLab } from "./support/dom0.ts";
import { createGuest, createRefused, destroyAll, PV } from "./support/guests.ts";

/** QEMU's network card, which dom0 itself is reached by. */
const CARD = "0000:00:02.0";
/** The machine's IDE controller, which no driver of dom0 has. */
const IDE = "0000:00:01.1";
const PROGRAM = join(import.meta.dirname, "programs/pciback-main.ts");

/** The lab's machine has no IOMMU, so what can be shown here is that nothing happens: who gives a device away without one gives everything away. */
describe("PCI devices", () => {
	const the = useLab();
	let before: string[];

	beforeAll(async () => {
		before = await takeSnapshot(the.lab);
	});
	afterAll(() => destroyAll(the.lab));

	it("stay where they are on a host without IOMMU, whoever asks for one", async () => {
		const driver = (): Promise<string> => ok(the.lab, ["readlink", `/sys/bus/pci/devices/${CARD}/driver`]);
		const had = await driver();
		for (const argv of [
			["pci-assignable-add", CARD],
			["pci-assignable-remove", CARD],
		]) {
			const { exitCode, stderr } = await run(the.lab, ["bulkhead", ...argv]);
			expect(exitCode).not.toBe(0);
			expect(stderr).toContain("no IOMMU");
		}
		const { error } = await createRefused(the.lab, PV, `pci=["${CARD},seize=1"]`);
		expect(error).toMatchObject({ code: "device-refused", message: expect.stringContaining("no IOMMU") });
		expect(await driver()).toBe(had);
		expect(await findResidue(the.lab, before)).toEqual([]);
	});

	it("go to Linux' pciback and come back", async () => {
		const { rows, stderr } = await runInDom0(the.lab, PROGRAM, 60_000, [IDE]);
		expect([...rows.values()], stderr).toEqual([expect.objectContaining({ ok: true })]);
		expect(await ok(the.lab, ["bulkhead", "pci-assignable-list"])).toBe("");
	});

	it("a PV guest can be given the host's memory map, with the host's devices where they are", async () => {
		const guest = await createGuest(the.lab, PV, "e820_host=1");
		const pv = await SerialSession.open(the.lab, guest, "pv");
		await pv.expect(/pv# /, 60_000);
		pv.write("dmesg | grep Xen:\n");
		await pv.expect(/mem 0x0*8000000-0x0*bffdffff\] unusable/, 30_000);
		await pv.expect(/mem 0x0*fffc0000-0x0*ffffffff\] reserved/, 30_000);
		pv.close();
		await ok(the.lab, ["bulkhead", "destroy", "pv"]);
		expect(await findResidue(the.lab, before)).toEqual([]);
	});
});
