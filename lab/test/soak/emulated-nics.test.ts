import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ok, useLab } from "../xen/support/dom0.ts";
import { createGuest } from "../xen/support/guests.ts";
import { leaveNothing } from "../xen/support/leave-nothing.ts";
import {
	BOOT_MS,
	FIRST,
	GuestShell,
	MAC,
	NO_ROMS,
	OTHER,
	openNetwork,
	portsOf,
	SECOND,
} from "../xen/support/network.ts";

const LINUX = "/etc/bulkhead/examples/linux.cfg";
const IMAGE = "/var/lib/bulkhead/images/linux.img";

/** Copies the guest's disk with a command line of the same length that unplugs emulated cards, but no disks. */
const UNPLUG_NICS = `
const { readFileSync, writeFileSync } = require("fs");
const [from, to] = process.argv.slice(1);
const image = readFileSync(from);
const word = Buffer.from("xen_emul_unplug=never");
const at = image.indexOf(word);
if (at < 0) throw new Error("The disk has no such command line");
image.write("xen_emul_unplug=nics ", at, "latin1");
writeFileSync(to, image);
`;

describe("emulated network cards, through one stub domain", () => {
	const the = useLab();
	let network: Awaited<ReturnType<typeof openNetwork>>;

	beforeAll(async () => {
		network = await openNetwork(the.lab, [FIRST, SECOND]);
	});
	leaveNothing(the);
	afterAll(() => network?.close());

	it("two emulated cards carry a file each through one stub domain", async () => {
		const vif = `vif=["mac=${MAC},model=rtl8139", "mac=${OTHER},model=rtl8139,bridge=${SECOND.name}"]`;
		const guest = await createGuest(the.lab, LINUX, vif, NO_ROMS);
		const stub = guest.stub?.domid;
		expect(await portsOf(the.lab, FIRST.name)).toEqual([`vif${guest.domid}.0`, `vif${stub}.0`].toSorted());
		expect(await portsOf(the.lab, SECOND.name)).toEqual([`vif${guest.domid}.1`, `vif${stub}.1`].toSorted());
		const shell = await GuestShell.open(the.lab, guest, "serial0", BOOT_MS);
		await shell.run("insmod /lib/modules/mii.ko && insmod /lib/modules/8139cp.ko");
		expect(await shell.fetch(await shell.interfaceOf(MAC), FIRST)).toBe(network.sum);
		expect(await shell.fetch(await shell.interfaceOf(OTHER), SECOND)).toBe(network.sum);
		shell.close();
	});

	it("a guest that unplugs its emulated cards goes on by its PV nics, and the stub domain keeps quiet", async () => {
		const disk = "/run/network-test/linux.img";
		await ok(the.lab, ["node", "-e", UNPLUG_NICS, IMAGE, disk]);
		const vif = `vif=["mac=${MAC},model=e1000", "mac=${OTHER},bridge=${SECOND.name}"]`;
		const target = `disk=["format=raw,vdev=hda,access=rw,target=${disk}"]`;
		const guest = await createGuest(the.lab, LINUX, vif, target, NO_ROMS);
		const shell = await GuestShell.open(the.lab, guest, "serial0", BOOT_MS);
		await shell.run("insmod /lib/modules/xen_netfront.ko");
		const sent = async (): Promise<number> =>
			Number(await ok(the.lab, ["cat", `/sys/class/net/vif${guest.stub?.domid}.0/statistics/rx_packets`]));
		const sentBefore = await sent();
		expect(await shell.fetch(await shell.interfaceOf(MAC), FIRST)).toBe(network.sum);
		expect(await shell.fetch(await shell.interfaceOf(OTHER), SECOND)).toBe(network.sum);
		// What the stub domain has sent to dom0 meanwhile: not a frame, neither its own nor an echo of its guest's.
		expect((await sent()) - sentBefore).toBe(0);
		shell.close();
	});
});
