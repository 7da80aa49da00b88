import { beforeAll, describe, expect, it } from "vitest";
import { bulkhead, ok, useLab } from "./support/dom0.ts";
import { createGuest, type GuestDocument, TINY } from "./support/guests.ts";
import { leaveNothing } from "./support/leave-nothing.ts";
import { askTiny } from "./support/tiny-guest.ts";

const IMAGES = "/var/lib/bulkhead/images";
const DISK = `"format=raw,vdev=hda,access=rw,target=${IMAGES}/tiny.img"`;
const CD = `"format=raw,vdev=hdc,access=ro,devtype=cdrom,target=${IMAGES}/tiny-cd.iso"`;
interface BlockDevice {
	device: string;
	qdev?: string;
	inserted?: { file: string; ro: boolean };
	removable: boolean;
}

describe("what a guest boots and reads through its stub domain", () => {
	const the = useLab();
	let facts: { sum: string; cdSum: string };

	beforeAll(async () => {
		facts = JSON.parse(await ok(the.lab, ["cat", `${IMAGES}/tiny.img.json`]));
	});
	leaveNothing(the);

	const readSum = (guest: GuestDocument): Promise<string | undefined> =>
		askTiny(the.lab, guest, "r", /SUM ([0-9a-f]{8})/);

	async function queryBlock(): Promise<BlockDevice[]> {
		return (await bulkhead<{ return: BlockDevice[] }>(the.lab, "qmp", "tiny", "query-block")).return;
	}

	it("is the CD when the boot order puts it first, with the disk beside it", async () => {
		const guest = await createGuest(the.lab, TINY, `disk=[${DISK}, ${CD}]`, 'boot="dc"');
		expect(await readSum(guest)).toBe(facts.cdSum);
		const drives = await queryBlock();
		expect(new Set(drives.map(({ inserted }) => inserted?.file))).toEqual(new Set(["/dev/xvda", "/dev/xvdc"]));
		expect(drives.find(({ inserted }) => inserted?.file === "/dev/xvdc")).toMatchObject({
			removable: true,
			inserted: { ro: true },
		});
	});

	it("is the disk when the boot order puts that first, with the CD beside it", async () => {
		const guest = await createGuest(the.lab, TINY, `disk=[${DISK}, ${CD}]`, 'boot="cd"');
		expect(await readSum(guest)).toBe(facts.sum);
	});

	it("is the disk when the CD drive is empty", async () => {
		const guest = await createGuest(the.lab, TINY, `disk=[${DISK}, "vdev=hdc,devtype=cdrom,target="]`, 'boot="dc"');
		expect(await readSum(guest)).toBe(facts.sum);
		const empty = (await queryBlock()).find(({ removable }) => removable);
		expect(empty).toBeDefined();
		expect(empty?.inserted).toBeUndefined();
	});

	it("may be a block device of the host, which stays the host's", async () => {
		const file = "/run/disk-test.img";
		await ok(the.lab, ["cp", `${IMAGES}/tiny.img`, file]);
		const device = (await ok(the.lab, ["losetup", "-f", "--show", file])).trim();
		try {
			const guest = await createGuest(the.lab, TINY, `disk=["format=raw,vdev=hda,access=rw,target=${device}"]`);
			expect(await readSum(guest)).toBe(facts.sum);
			await askTiny(the.lab, guest, "w", /WRITE ok/);
			// The guest does not flush: what it wrote is in its stub domain's memory until a destroy has QEMU write it out.
			await ok(the.lab, ["bulkhead", "destroy", "tiny"]);
			expect(await ok(the.lab, ["losetup", device])).toContain(file);
			expect(await ok(the.lab, ["sh", "-c", `cmp ${file} ${IMAGES}/tiny.img | cut -c 1-6 || true`])).not.toBe("");
		} finally {
			await ok(the.lab, ["losetup", "-d", device]);
			await ok(the.lab, ["rm", file]);
		}
	});
});
