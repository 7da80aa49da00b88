import { afterAll, afterEach, beforeAll, describe, expect } from "vitest";
import { findResidue, takeSnapshot } from "../../src/residue.ts";
import { SerialSession } from "../../src/serial-session.ts";
import { DIRECT_BOOT, FOLDER, LINUX, READY } from "../xen/support/direct-boot.ts";
import { ok, useLab } from "../xen/support/dom0.ts";
import { itRunsHvm } from "../xen/support/emulator-flake.ts";
import { createGuest, destroyAll } from "../xen/support/guests.ts";
import { putFilesOfLinuxDisk } from "../xen/support/linux-disk.ts";

/** Not in `npm test`: QEMU 7.2, emulating a machine on a busy one, has more than once aborted at OVMF's first steps. */
describe("OVMF", () => {
	const the = useLab();
	let before: string[];

	beforeAll(async () => {
		await putFilesOfLinuxDisk(the.lab, ["vmlinuz", "initrd"], FOLDER);
		before = await takeSnapshot(the.lab);
	}, 300_000);
	afterEach(() => destroyAll(the.lab));
	afterAll(() => the.lab.exec(["rm", "-rf", FOLDER]));

	itRunsHvm("starts a guest's kernel", the, async () => {
		const guest = await createGuest(the.lab, LINUX, 'bios="ovmf"', ...DIRECT_BOOT);
		const serial = await SerialSession.open(the.lab, guest, "serial0");
		await serial.expect(READY, 150_000);
		await serial.expect(/guest# /, 30_000);
		serial.write("ls /sys/firmware\n");
		await serial.expect(/\befi\b/, 30_000);
		serial.close();
		await ok(the.lab, ["bulkhead", "destroy", "linux"]);
		expect(await findResidue(the.lab, before)).toEqual([]);
	});
});
