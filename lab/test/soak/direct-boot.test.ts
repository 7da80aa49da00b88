import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { findResidue, takeSnapshot } from "../../src/residue.ts";
import { SerialSession } from "../../src/serial-session.ts";
import { DIRECT_BOOT, FOLDER, LINUX, READY } from "../xen/support/direct-boot.ts";
import { ok, useLab } from "../xen/support/dom0.ts";
import { createGuest, destroyAll } from "../xen/support/guests.ts";
import { putFilesOfLinuxDisk } from "../xen/support/linux-disk.ts";
import { GuestShell } from "../xen/support/network.ts";

const BOOT_MS = 240_000;

/** Booting Linux in a stub domain's guest takes two minutes under emulation. */
describe("a kernel of the host's, through the stub domain", () => {
	const the = useLab();
	let before: string[];

	beforeAll(async () => {
		await putFilesOfLinuxDisk(the.lab, ["vmlinuz", "initrd"], FOLDER);
		before = await takeSnapshot(the.lab);
	}, 300_000);
	afterEach(() => destroyAll(the.lab));
	afterAll(() => the.lab.exec(["rm", "-rf", FOLDER]));

	it("is booted by SeaBIOS, beside three serial ports", async () => {
		const serials = 'serial=["pty", "pty", "pty"]';
		const smbios = 'smbios=["system_product_name=Ironside"]';
		const guest = await createGuest(the.lab, LINUX, ...DIRECT_BOOT, serials, smbios);
		expect(guest.stub?.memoryKiB).toBeGreaterThan(128 * 1024 + 4096);
		expect(guest.consoles.map(({ label }) => label)).toEqual(["pv", "stub", "serial0", "serial1", "serial2"]);
		const shell = await GuestShell.open(the.lab, guest, "serial0", BOOT_MS);
		expect(await shell.run("cat /proc/cmdline")).toContain("bulkhead.direct=1");
		// What hvmloader puts into the tables of every guest, or what its config says.
		expect(await shell.run("cat /sys/class/dmi/id/product_name")).toBe("Ironside");
		shell.close();
		await ok(the.lab, ["bulkhead", "destroy", "linux"]);
		expect(await findResidue(the.lab, before)).toEqual([]);
	});

	// The emulator, QEMU 7.2, has more than once aborted at OVMF's first steps.
	it("is booted by OVMF", async () => {
		const guest = await createGuest(the.lab, LINUX, 'bios="ovmf"', ...DIRECT_BOOT);
		const serial = await SerialSession.open(the.lab, guest, "serial0");
		await serial.expect(READY, BOOT_MS);
		await serial.expect(/guest# /, 30_000);
		serial.write("ls /sys/firmware\n");
		await serial.expect(/\befi\b/, 30_000);
		serial.close();
		await ok(the.lab, ["bulkhead", "destroy", "linux"]);
		expect(await findResidue(the.lab, before)).toEqual([]);
	});
});
