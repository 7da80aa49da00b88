import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { findResidue, takeSnapshot } from "../../src/residue.ts";
import { SerialSession } from "../../src/serial-session.ts";
import { converse } from "./support/conversation.ts";
import { killAndAwaitRestart } from "./support/daemons.ts";
import { FOLDER as BOOT, LINUX, READY } from "./support/direct-boot.ts";
import { bulkhead, eventually, ok, run, useLab } from "./support/dom0.ts";
import { createGuest, createRefused, destroyAll, findGuest, type GuestDocument, PV, TINY } from "./support/guests.ts";
import { putFilesOfLinuxDisk } from "./support/linux-disk.ts";
import { talkToTiny } from "./support/tiny-guest.ts";

/** The PV example without a kernel of its own. */
const GRUB = `${BOOT}/grub.cfg`;
const IN_DOM0 = "device_model_stubdomain_override=0";
/** A kernel with the frontends of screen and keyboard: Debian's own. */
const PV_SCREEN = [
	`kernel="${BOOT}/vmlinuz"`,
	"memory=256",
	'cmdline="console=hvc0 rdinit=/init quiet panic=-1 cryptomgr.notests nokaslr mitigations=off audit=0 apparmor=0"',
];
/** RFB 3.8 (RFC 6143), all that a client says at once: version, no security, shared, and a request for 32 rows. */
const RFB_REQUEST = "RFB 003.008\n\x01\x01\x03\x00\x00\x00\x00\x00\x03\x20\x00\x20";
/** 800 pixels of 32 bits each, in 32 rows. */
const RFB_FRAME_BYTES = 800 * 4 * 32;
const VNC = "TCP:127.0.0.1:5907";
/** Of dom0's user xen-qemuuser-range-base. */
const RANGE_BASE = 60_000;
/**
 * Takes the Xen devices and the log that a process has open from it (pidfd_getfd), and hands them to Xen's
 * depriv-fd-checker.
 */
const CHECK_DESCRIPTORS = `
my ($checker, $pid, $log) = @ARGV;
my $process = syscall(434, $pid + 0, 0);
my @triples;
opendir(my $folder, "/proc/$pid/fd");
for my $fd (grep { /^\\d+$/ } readdir($folder)) {
	my $target = readlink("/proc/$pid/fd/$fd");
	my $class = $target =~ m{^/dev/xen/(privcmd|gntdev|evtchn)$} ? $1 : $target eq $log ? "appendonly" : next;
	my $taken = syscall(438, $process, $fd + 0, 0);
	die "cannot take $fd: $!" if $taken < 0;
	syscall(72, $taken, 2, 0);
	push @triples, $class, $taken, $target;
}
exec $checker, @triples;
`;

interface LocalGuest extends GuestDocument {
	localQemu?: { pid: number; state: string };
}

describe("device models", () => {
	const the = useLab();
	let before: string[];

	beforeAll(async () => {
		await putFilesOfLinuxDisk(the.lab, ["vmlinuz", "initrd"], BOOT);
		await ok(the.lab, [
			"sh",
			"-c",
			`{ grep -v "^kernel\\|^ramdisk\\|^cmdline" ${PV}; echo 'firmware = "pvgrub64"'; } >${GRUB}`,
		]);
		before = await takeSnapshot(the.lab);
	}, 300_000);
	afterEach(() => destroyAll(the.lab));
	afterAll(() => the.lab.exec(["rm", "-rf", BOOT]));

	it("QEMU in domain 0 boots a guest, answers by QMP, and leaves nothing behind", async () => {
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

	it("QEMU in domain 0 outlives the daemon, and its death is its guest's", async () => {
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

	it("a restricted QEMU has a uid of its own, no file, no capability and no other domain", async () => {
		const guest: LocalGuest = await createGuest(the.lab, TINY, IN_DOM0, "dm_restrict=1");
		const pid = guest.localQemu?.pid ?? 0;
		const uid = RANGE_BASE + guest.domid;
		const status = await ok(the.lab, ["cat", `/proc/${pid}/status`]);
		for (const kind of ["Uid", "Gid"])
			expect(status).toMatch(new RegExp(`^${kind}:(\\t${kind === "Uid" ? uid : RANGE_BASE}){4}$`, "m"));
		for (const set of ["CapInh", "CapPrm", "CapEff"]) expect(status).toMatch(new RegExp(`^${set}:\\t0{16}$`, "m"));
		expect(status).toMatch(/^NoNewPrivs:\t1$/m);
		expect(status).toMatch(new RegExp(`^Groups:\\t${RANGE_BASE} $`, "m"));
		const link = async (of: string, name: string): Promise<string> =>
			(await ok(the.lab, ["readlink", `/proc/${of}/${name}`])).trim();
		expect(await link(`${pid}`, "root")).toMatch(/\/run\/bulkhead\/qemu\/.*\/root$/);
		for (const space of ["mnt", "ipc"])
			expect(await link(`${pid}`, `ns/${space}`)).not.toBe(await link("1", `ns/${space}`));
		expect(await ok(the.lab, ["cat", `/proc/${pid}/limits`])).toMatch(/^Max file size\s+262144\s+262144/m);
		// Xen's own program tries each of its descriptors: what they must not do, they cannot.
		const log = await link(`${pid}`, "fd/2");
		expect(log).toMatch(/\/qemu-dm-tiny\.log$/);
		const checker = (await ok(the.lab, ["sh", "-c", "echo /usr/lib/xen-*/bin/depriv-fd-checker"])).trim();
		const report = await ok(the.lab, ["perl", "-e", CHECK_DESCRIPTORS, checker, `${pid}`, log]);
		const verdicts = report.trim().split("\n");
		expect(verdicts.filter((line) => !/^\w+ (checking|pass) /.test(line))).toEqual([]);
		// It has gntdev open only while it serves PV devices, which a restricted one does not.
		for (const kind of ["privcmd", "evtchn", "appendonly"])
			expect(
				verdicts.some((line) => line.startsWith(`${kind} pass`)),
				`${kind}: ${report}`,
			).toBe(true);
		expect(await bulkhead(the.lab, "qmp", "tiny", "query-status")).toMatchObject({ return: { status: "running" } });
		await talkToTiny(the.lab, guest);
		await ok(the.lab, ["bulkhead", "destroy", "tiny"]);
		expect(await findResidue(the.lab, before)).toEqual([]);
	});

	it("QEMU in a stub domain gets USB devices and vcpus while it runs, and gives USB back", async () => {
		await createGuest(
			the.lab,
			TINY,
			"vcpus=1",
			"maxvcpus=3",
			'usbctrl=["version=3,ports=4"]',
			'usbdev=["type=tablet"]',
		);
		const qmp = async <T>(command: string, args = {}): Promise<T> =>
			(await bulkhead<{ return: T }>(the.lab, "qmp", "tiny", command, JSON.stringify(args))).return;
		const usb = async (): Promise<string[]> =>
			(await qmp<{ name: string; type: string }[]>("qom-list", { path: "/machine/peripheral" }))
				.filter(({ name }) => name.startsWith("xenusb-"))
				.map(({ name, type }) => `${name} ${type}`)
				.toSorted();
		const isAttached = (id: string): Promise<boolean> =>
			qmp("qom-get", { path: `/machine/peripheral/${id}`, property: "attached" });
		const controller = "xenusb-0 child<nec-usb-xhci>";
		const tablet = "xenusb-0-1 child<usb-tablet>";
		expect(await usb()).toEqual([controller, tablet]);
		await ok(the.lab, ["bulkhead", "usbdev-attach", "tiny", "type=keyboard", "port=3"]);
		expect(await usb()).toEqual([controller, tablet, "xenusb-0-3 child<usb-kbd>"]);
		expect(await isAttached("xenusb-0-3")).toBe(true);
		expect(await ok(the.lab, ["bulkhead", "usb-list", "tiny"])).toMatch(
			/^ {2}Port 1: tablet\n.*\n {2}Port 3: keyboard$/m,
		);
		await ok(the.lab, ["bulkhead", "usbdev-detach", "tiny", "0", "1"]);
		await ok(the.lab, ["bulkhead", "usbctrl-attach", "tiny"]);
		await ok(the.lab, ["bulkhead", "usbdev-attach", "tiny", "type=mouse", "controller=1"]);
		expect(await usb()).toEqual([
			controller,
			"xenusb-0-3 child<usb-kbd>",
			"xenusb-1 child<usb-ehci>",
			"xenusb-1-1 child<usb-mouse>",
		]);
		expect(await isAttached("xenusb-1-1")).toBe(true);

		const vcpus = async (): Promise<number> =>
			(await qmp<Record<string, unknown>[]>("query-hotpluggable-cpus")).filter((each) => "qom-path" in each).length;
		expect(await vcpus()).toBe(1);
		await ok(the.lab, ["bulkhead", "vcpu-set", "tiny", "3"]);
		expect(await vcpus()).toBe(3);
		const { stderr, exitCode } = await run(the.lab, ["bulkhead", "vcpu-set", "tiny", "1"]);
		expect(exitCode).not.toBe(0);
		expect(stderr).toContain("3 vcpus plugged in");
	});

	it("a PV guest has a screen with VNC and a keyboard, which outlive neither it nor their own QEMU", async () => {
		const guest: LocalGuest = await createGuest(the.lab, PV, 'vfb=["vnc=1,vncdisplay=7,vncunused=0"]', ...PV_SCREEN);
		const { domid } = guest;
		const state = async (kind: string): Promise<true | undefined> => {
			const { stdout } = await the.lab.exec(["xenstore-read", `/local/domain/${domid}/device/${kind}/0/state`]);
			return stdout.toString().trim() === "4" ? true : undefined;
		};
		for (const kind of ["vfb", "vkbd"]) await eventually(`the guest's ${kind}`, () => state(kind), 90_000);
		const pv = await SerialSession.open(the.lab, guest, "pv");
		await pv.expect(/pv# /, 60_000);
		pv.write(
			"mount -t devtmpfs devtmpfs /tmp; tr '\\000' '\\252' </dev/zero | head -c 102400 >/tmp/fb0; echo painted-$?\n",
		);
		await pv.expect(/painted-0/, 30_000);
		pv.close();
		const port = await ok(the.lab, ["xenstore-read", `/local/domain/${domid}/console/vnc-port`]);
		expect(port.trim()).toBe("5907");
		await eventually("what the guest has painted", async () => {
			const frame = await converse(the.lab, VNC, (server) => {
				server.say(RFB_REQUEST);
				return server.until("32 rows", (heard) => heard.length > RFB_FRAME_BYTES);
			});
			return frame.includes(Buffer.alloc(3200, 0xaa)) ? true : undefined;
		});
		const status = await ok(the.lab, ["cat", `/proc/${guest.localQemu?.pid}/status`]);
		expect(status).toMatch(new RegExp(`^Uid:(\\t${RANGE_BASE + domid}){4}$`, "m"));
		await ok(the.lab, ["kill", "-9", `${guest.localQemu?.pid}`]);
		await eventually("the daemon to notice", async () => {
			const found: LocalGuest | undefined = await findGuest(the.lab, "pv");
			return found?.localQemu?.state === "failed" ? true : undefined;
		});
		expect((await findGuest(the.lab, "pv"))?.phase).toBe("running");
		await ok(the.lab, ["bulkhead", "destroy", "pv"]);
		expect(await findResidue(the.lab, before)).toEqual([]);
	});

	it("a PV guest starts from GRUB, which finds its kernel inside the guest", async () => {
		await createGuest(the.lab, GRUB);
		// From the start, since its prompt may have come before anybody reads.
		const read = ["bulkhead", "console", "--from", "start", "--until", "grub>", "-t", "pv", "pv"];
		expect(await ok(the.lab, read, { timeoutMs: 90_000 })).toContain("Welcome to GRUB!");
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
