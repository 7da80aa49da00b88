import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { findResidue, takeSnapshot } from "../../src/residue.ts";
import { SerialSession } from "../../src/serial-session.ts";
import { ok, useLab } from "./support/dom0.ts";
import { createGuest, destroyAll, PV } from "./support/guests.ts";
import { putFilesOfLinuxDisk } from "./support/linux-disk.ts";

const BOOT = "/tmp/pvh-boot";
const COMMAND_LINE =
	"console=hvc0 rdinit=/init quiet panic=-1 nokaslr mitigations=off audit=0 apparmor=0 cryptomgr.notests tsc=unstable";
/** Debian's kernel has a PVH entry, the stub domain's has none; the initramfs is the PV guest's. */
const PVH = ['type="pvh"', `kernel="${BOOT}/vmlinuz"`, `cmdline="${COMMAND_LINE}"`, "memory=192"];
const BOOTED_MS = 150_000;
const ANSWER_MS = 60_000;

describe("PVH guests", () => {
	const the = useLab();
	let before: string[];

	beforeAll(async () => {
		await putFilesOfLinuxDisk(the.lab, ["vmlinuz"], BOOT);
		before = await takeSnapshot(the.lab);
	}, 300_000);
	afterEach(() => destroyAll(the.lab));
	afterAll(() => the.lab.exec(["rm", "-rf", BOOT]));

	it("boot, see their processors, memory and placement, and follow what xenstore says", async () => {
		const more = ["vcpus=2", "maxmem=256", 'cpus="1"', "cpu_weight=512"];
		const guest = await createGuest(the.lab, PV, ...PVH, ...more);
		expect(guest.stub).toBeUndefined();
		const domain = `/local/domain/${guest.domid}`;
		expect(await ok(the.lab, ["xenstore-read", `/libxl/${guest.domid}/type`])).toBe("pvh\n");
		expect(await ok(the.lab, ["xenstore-read", `${domain}/memory/static-max`])).toBe(`${256 * 1024}\n`);
		expect(await ok(the.lab, ["xl", "vcpu-list", "pv"])).toMatch(/^pv +\d+ +0 .* 1 \/ /m);
		expect(await ok(the.lab, ["xl", "sched-credit2", "-d", "pv"])).toMatch(/^pv +\d+ +512 /m);

		const console = await SerialSession.open(the.lab, guest, "pv");
		await console.expect(/PV-UP/, BOOTED_MS);
		await console.expect(/# /, ANSWER_MS);
		console.write("echo cpus=$(cat /sys/devices/system/cpu/online) xen=$(cat /sys/hypervisor/guest_type)\n");
		await console.expect(/cpus=0-1 xen=PVH/, ANSWER_MS);
		await ok(the.lab, ["bulkhead", "vcpu-set", "pv", "1"]);
		console.write("until grep -qx 0 /sys/devices/system/cpu/online; do sleep 1; done; echo one\\ left\n");
		await console.expect(/one left/, ANSWER_MS);
		// The kernel makes the processor known again; to bring it up is udev's, which this guest does not have.
		await ok(the.lab, ["bulkhead", "vcpu-set", "pv", "2"]);
		console.write("until [ -e /sys/devices/system/cpu/cpu1 ]; do sleep 1; done; echo known\\ again\n");
		await console.expect(/known again/, ANSWER_MS);
		console.write("total() { awk '/MemTotal/ { print $2 }' /proc/meminfo; }; before=$(total); echo measured\\ it\n");
		await console.expect(/measured it/, ANSWER_MS);
		await ok(the.lab, ["bulkhead", "mem-set", "pv", "160"]);
		console.write("until [ $((before - $(total))) -gt 20000 ]; do sleep 1; done; echo became\\ smaller\n");
		await console.expect(/became smaller/, ANSWER_MS);

		// Its processor 0 the emulated lab keeps from it, other than as a wish.
		await ok(the.lab, ["bulkhead", "vcpu-pin", "pv", "1", "-", "0"]);
		await ok(the.lab, ["bulkhead", "sched-credit2", "-d", "pv", "-w", "300"]);
		const theirs = await ok(the.lab, ["xl", "vcpu-list", "pv"]);
		expect(theirs).toMatch(/^pv +\d+ +1 .* 1 \/ 0$/m);
		expect(affinities(await ok(the.lab, ["bulkhead", "vcpu-list", "pv"]))).toEqual(affinities(theirs));
		expect(await ok(the.lab, ["xl", "sched-credit2", "-d", "pv"])).toMatch(/^pv +\d+ +300 /m);
		console.close();
		await ok(the.lab, ["bulkhead", "shutdown", "-w", "pv"]);
		expect(await findResidue(the.lab, before)).toEqual([]);
	});
});

/** Each vcpu's line of a vcpu-list without what changes by itself: name, domain, vcpu; and its affinity. */
const affinities = (text: string): string[] =>
	text
		.split("\n")
		.filter((line) => line.startsWith("pv "))
		.map((line) => line.trim().split(/ +/))
		.map((words) => [...words.slice(0, 3), ...words.slice(6)].join(" "));
