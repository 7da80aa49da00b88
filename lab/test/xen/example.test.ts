import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findResidue, takeSnapshot } from "../../src/residue.ts";
import { SerialSession } from "../../src/serial-session.ts";
import { bulkhead, ok, useLab } from "./support/dom0.ts";
import { createGuest, type GuestDocument } from "./support/guests.ts";

const EXAMPLE = "/etc/bulkhead/examples/linux.cfg";

describe("the example guest", () => {
	const the = useLab();
	let before: string[];
	let guest: GuestDocument;
	let serial: SerialSession;
	let diskSha256: string;

	beforeAll(async () => {
		before = await takeSnapshot(the.lab);
		guest = await createGuest(the.lab, EXAMPLE);
		serial = await SerialSession.open(the.lab, guest, "serial0");
		[, diskSha256 = ""] = await serial.expect(/BULKHEAD-GUEST-READY disk-sha256=([0-9a-f]{64}) write=ok/, 180_000);
	});
	afterAll(async () => {
		serial?.close();
	});

	it("boots from the stub domain's emulated disk and answers on its serial port", async () => {
		const image = JSON.parse(await ok(the.lab, ["cat", "/var/lib/bulkhead/images/linux.img.json"]));
		expect(diskSha256).toBe(image.diskSha256);
		await serial.expect(/guest# /, 60_000);
		serial.write("echo answer-$((6 * 7))\n");
		await serial.expect(/answer-42/, 30_000);
	});

	it("is seen by Xen's own programs", async () => {
		const list = await ok(the.lab, ["xl", "list"]);
		expect(list).toMatch(new RegExp(`^linux +${guest.domid} `, "m"));
		expect(list).toMatch(new RegExp(`^linux-dm +${guest.stub?.domid} `, "m"));
		const top = await ok(the.lab, ["sh", "-c", "TERM=dumb xentop -b -i1"]);
		expect(top).toMatch(/^ +linux /m);
		expect(top).toMatch(/^ +linux-dm /m);
		// Where the lab keeps a processor from HVM guests, and not from stub domains.
		const kept = /hvm_guest_cpus=(\d)/.exec(await ok(the.lab, ["cat", "/proc/cmdline"]))?.[1] ?? "all";
		const vcpus = await ok(the.lab, ["xl", "vcpu-list"]);
		expect(vcpus).toMatch(new RegExp(`^linux .* ${kept} / all$`, "m"));
		expect(vcpus).toMatch(/^linux-dm .* all \/ all$/m);
		const nodes = await ok(the.lab, ["xenstore-ls", "-f", `/local/domain/${guest.domid}`]);
		expect(nodes).toContain(`/image/device-model-domid = "${guest.stub?.domid}"`);
	});

	it("needs one bulkheadd and one relay in dom0, and no QEMU, proxy or xl", async () => {
		const processes = (await takeSnapshot(the.lab)).filter((line) => line.startsWith("process "));
		expect(processes.filter((line) => line.includes("bulkheadd.mjs"))).toHaveLength(1);
		expect(processes.filter((line) => line.includes("bulkhead-relay.mjs"))).toHaveLength(1);
		expect(processes.filter((line) => /qemu|vchan-socket-proxy|process xl |\/xl /.test(line))).toEqual([]);
	});

	it("answers QMP through the relay", async () => {
		const { return: status } = await bulkhead<{ return: { status: string } }>(the.lab, "qmp", "linux", "query-status");
		expect(status.status).toBe("running");
	});

	it("leaves nothing behind when it is destroyed", async () => {
		serial.close();
		await ok(the.lab, ["bulkhead", "destroy", "linux"]);
		expect(await findResidue(the.lab, before)).toEqual([]);
	});
});
