import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { findResidue, takeSnapshot } from "../../src/residue.ts";
import { SerialSession } from "../../src/serial-session.ts";
import { killAndAwaitRestart } from "./support/daemons.ts";
import { bulkhead, eventually, ok, run, useLab } from "./support/dom0.ts";
import { itRunsHvm } from "./support/emulator-flake.ts";
import { createGuest, createRefused, destroyAll, findGuest, type GuestDocument, TINY } from "./support/guests.ts";
import { putFilesOfLinuxDisk } from "./support/linux-disk.ts";

const LINUX = "/etc/bulkhead/examples/linux.cfg";
const BOOT = "/tmp/direct-boot";
const READY = /BULKHEAD-GUEST-READY disk-sha256=[0-9a-f]{64} write=ok/;
const IN_DOM0 = "device_model_stubdomain_override=0";
/** The lab's Linux guest's own, and a word by which to know that it came from here. */
const COMMAND_LINE = [
	"console=ttyS0,115200 rdinit=/init quiet panic=-1 xen_emul_unplug=never tsc=unstable no_timer_check pci=noearly",
	"iommu=off 8250.nr_uarts=1 cryptomgr.notests nokaslr mitigations=off audit=0 apparmor=0 bulkhead.direct=1",
].join(" ");
const DIRECT_BOOT = [`kernel="${BOOT}/vmlinuz"`, `ramdisk="${BOOT}/initrd"`, `cmdline="${COMMAND_LINE}"`];

interface LocalGuest extends GuestDocument {
	localQemu?: { pid: number; state: string };
}

describe("device models", () => {
	const the = useLab();
	let before: string[];

	beforeAll(async () => {
		await putFilesOfLinuxDisk(the.lab, ["vmlinuz", "initrd"], BOOT);
		before = await takeSnapshot(the.lab);
	}, 300_000);
	afterEach(() => destroyAll(the.lab));
	afterAll(() => the.lab.exec(["rm", "-rf", BOOT]));

	itRunsHvm("QEMU in domain 0 boots a guest, answers by QMP, and leaves nothing behind", the, async () => {
		const guest: LocalGuest = await createGuest(the.lab, LINUX, IN_DOM0);
		expect(guest.stub).toBeUndefined();
		const pty = guest.consoles.find(({ label }) => label === "serial0")?.ptyPath ?? "";
		const serial = SerialSession.openPty(the.lab, pty);
		await serial.expect(READY, 150_000);
		serial.close();
		const { domid } = guest;
		const read = async (path: string): Promise<string> => (await ok(the.lab, ["xenstore-read", path])).trim();
		expect(await read(`/local/domain/${domid}/serial/0/tty`)).toBe(pty);
		expect(await read(`/local/domain/0/device-model/${domid}/state`)).toBe("running");
		expect(await read(`/local/domain/${domid}/image/device-model-pid`)).toBe(`${guest.localQemu?.pid}`);
		expect(await bulkhead(the.lab, "qmp", "linux", "query-status")).toMatchObject({ return: { status: "running" } });
		expect(await ok(the.lab, ["xl", "list"])).not.toContain("linux-dm");
		await ok(the.lab, ["bulkhead", "destroy", "linux"]);
		expect(await findResidue(the.lab, before)).toEqual([]);
	});

	itRunsHvm("QEMU in domain 0 outlives the daemon, and its death is its guest's", the, async () => {
		const guest: LocalGuest = await createGuest(the.lab, TINY, IN_DOM0);
		await killAndAwaitRestart(the.lab, "bulkheadd", "bulkhead-relay");
		await eventually("QMP to be there again", async () => {
			const { exitCode } = await run(the.lab, ["bulkhead", "qmp", "tiny", "query-status"]);
			return exitCode === 0 ? true : undefined;
		});
		await ok(the.lab, ["kill", "-9", `${guest.localQemu?.pid}`]);
		await eventually("the guest to be gone", async () => ((await findGuest(the.lab, "tiny")) ? undefined : true));
		const residue = (await findResidue(the.lab, before)).filter((line) => !line.startsWith("process "));
		expect(residue).toEqual([]);
	});

	itRunsHvm("an HVM guest boots its kernel and ramdisk through the stub domain", the, async () => {
		const guest = await createGuest(the.lab, LINUX, ...DIRECT_BOOT);
		expect(guest.stub?.memoryKiB).toBeGreaterThan(128 * 1024 + 4096);
		const serial = await SerialSession.open(the.lab, guest, "serial0");
		await serial.expect(READY, 150_000);
		await serial.expect(/guest# /, 30_000);
		serial.write("cat /proc/cmdline\n");
		await serial.expect(/bulkhead\.direct=1/, 30_000);
		serial.close();
		await ok(the.lab, ["bulkhead", "destroy", "linux"]);
		expect(await findResidue(the.lab, before)).toEqual([]);
	});

	itRunsHvm("OVMF starts a guest's kernel", the, async () => {
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

	it("says before anything is made which file a MiniOS stub domain lacks", async () => {
		const { exitCode, error } = await createRefused(
			the.lab,
			TINY,
			'device_model_version="qemu-xen-traditional"',
			"device_model_stubdomain_override=1",
		);
		expect(exitCode).not.toBe(0);
		expect(error.code).toBe("file-unusable");
		expect(error.message).toMatch(/MiniOS stub domain's kernel ".*ioemu-stubdom\.gz" does not exist/);
		expect(await findResidue(the.lab, before)).toEqual([]);
	});
});
