import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import type { GuestDisk } from "@bulkhead/api/client";
import { describe, expect, test } from "vitest";
import { expectText, SimWorld } from "./sim-world.ts";

/** Files that stand for disks and CDs. */
async function images(world: SimWorld, ...names: string[]): Promise<string[]> {
	const paths = names.map((name) => join(world.directory, name));
	await Promise.all(paths.map((path) => copyFile(world.images.disk, path)));
	return paths;
}

const attach = (world: SimWorld, guest: string, spec: string): Promise<unknown> =>
	world.client.attachDisk(guest, { spec, baseDir: world.directory });

async function connected(world: SimWorld, guest: string, vdev: string): Promise<GuestDisk> {
	return world.eventually(`${vdev} to be connected`, async () => {
		const disk = (await world.client.disks(guest)).find((each) => each.vdev === vdev);
		return disk?.state === 4 ? disk : undefined;
	});
}

const loops = (world: SimWorld): string[] => world.simulated.host.loops.attached.toSorted();

describe("disks of a running guest", () => {
	test("one is attached, used, survives a daemon and a reboot, and is detached without a trace", async () => {
		const world = await SimWorld.start();
		await images(world, "data.img");
		const guest = await world.create(world.pv("web"));
		const before = world.tree;
		const { disk, warnings } = await world.client.attachDisk("web", {
			spec: "data.img,raw,xvdb,w",
			baseDir: world.directory,
		});
		expect(warnings).toEqual([]);
		expect(disk).toMatchObject({ vdev: "xvdb", devid: 51728, domid: guest.domid, backendDomid: 0 });
		expect(await connected(world, "web", "xvdb")).toMatchObject({ path: join(world.directory, "data.img") });

		await world.daemon.stop();
		await world.startDaemon();
		await connected(world, "web", "xvdb");

		await world.client.reboot("web");
		await world.eventually("the guest to be back", async () => {
			const found = await world.find("web");
			return (found?.phase === "running" && found.domid !== guest.domid) || undefined;
		});
		await connected(world, "web", "xvdb");
		expect(loops(world)).toEqual([`loop0 of ${join(world.directory, "data.img")}`]);

		expect((await world.client.detachDisk("web", "51728", { force: false })).warnings).toEqual([]);
		expect(await world.client.disks("web")).toEqual([]);
		expect(loops(world)).toEqual([]);
		expect(Object.keys(world.tree).length).toBe(Object.keys(before).length);
	});

	test("a detach and an attach after a daemon was killed know what the one before had", async () => {
		const world = await SimWorld.start();
		const [first = ""] = await images(world, "one.img");
		await world.create(world.pv("web", `disk=["${first},raw,xvda,w"]`));
		await connected(world, "web", "xvda");
		await world.daemon.kill();
		await world.startDaemon();
		await world.client.detachDisk("web", "xvda", { force: false });
		expect(loops(world)).toEqual([]);
		await attach(world, "web", `${first},raw,xvda,w`);
		await connected(world, "web", "xvda");
	});

	test.each([
		["data.img,raw,xvda,w", "device-exists"],
		["data.img,raw,xvda1,w", undefined],
		["missing.img,raw,xvdb,w", "file-unusable"],
		["data.img,raw,xyz,w", "invalid-input"],
		["data.img,qcow2,xvdb,w", "file-unusable"],
		["data.img,raw", "invalid-input"],
	])("what cannot be attached (%s) is refused: %s", async (spec, code) => {
		const world = await SimWorld.start();
		const [data = ""] = await images(world, "data.img");
		await world.create(world.pv("web", `disk=["${data},raw,xvda,w"]`));
		await connected(world, "web", "xvda");
		const before = world.tree;
		if (code === undefined) return void (await attach(world, "web", spec));
		const attached = attach(world, "web", spec);
		await expect(attached).rejects.toMatchObject({ code });
		expect(world.tree).toEqual(before);
		expect(loops(world)).toHaveLength(1);
	});

	test("an HVM guest's emulated disks and drives stay, and a PV disk comes and goes", async () => {
		const world = await SimWorld.start();
		await images(world, "data.img");
		await world.create(world.hvm("desk", 'hdtype="ide"'));
		await expect(attach(world, "desk", "data.img,raw,hdb,w")).rejects.toMatchObject({ code: "device-refused" });
		await expect(world.client.detachDisk("desk", "hda", { force: true })).rejects.toMatchObject({
			code: "device-refused",
		});
		const before = world.tree;
		await attach(world, "desk", "data.img,raw,xvdf,w");
		await world.client.detachDisk("desk", "xvdf", { force: true });
		expect(world.tree).toEqual(before);
	});

	test("a failing attach leaves nothing", async () => {
		const world = await SimWorld.start();
		await images(world, "data.img");
		await world.create(world.pv("web"));
		const before = world.tree;
		world.simulated.host.faults.inject({ call: "loops.attach", errno: "EIO" });
		await expect(attach(world, "web", "data.img,raw,xvdb,w")).rejects.toMatchObject({});
		expect(world.tree).toEqual(before);
		expect(loops(world)).toEqual([]);
	});

	test.each(["deaf", "hostile"] as const)(
		"a %s guest loses its disk by force, and is destroyed in time",
		async (manners) => {
			const world = await SimWorld.start();
			const before = world.tree;
			world.simulated.guestManners = manners;
			const [first = "", second = ""] = await images(world, "one.img", "two.img");
			await world.create(world.pv("bad", `disk=["${first},raw,xvda,w", "${second},raw,xvdb,w"]`));
			await connected(world, "bad", "xvda").catch(() => {});
			const others = await world.create(world.pv("good"));
			const since = performance.now();
			await world.client.detachDisk("bad", "xvda", { force: true });
			await world.client.destroy("bad");
			expect(performance.now() - since).toBeLessThan(10_000);
			expect((await world.find("good"))?.domid).toBe(others.domid);
			expect(loops(world)).toEqual([]);
			await world.client.destroy("good");
			expect(world.tree).toEqual(before);
		},
	);
});

describe("the medium of an HVM guest's CD drive", () => {
	const CD = 5632;

	async function withDrive(world: SimWorld, target: string): Promise<number> {
		const disks = `disk=["${world.images.disk},raw,hda,w", "vdev=hdc,devtype=cdrom,format=${target ? "raw" : "empty"},target=${target}"]`;
		const { domid = 0 } = await world.create(world.hvm("desk", disks));
		return domid;
	}

	const medium = (world: SimWorld, domid: number): string | undefined =>
		world.simulated.findQemu(domid as never)?.mediumOf(CD);

	/** The files that the guest's and the stub's PV disks show. */
	function shown(world: SimWorld): (string | undefined)[] {
		const { tree } = world;
		const attached = new Map(loops(world).map((each) => each.split(" of ") as [string, string]));
		return Object.keys(tree)
			.filter((path) => new RegExp(`^/local/domain/0/backend/vbd/\\d+/${CD}/params$`).test(path))
			.map((path) => attached.get(tree[path]?.replace("/dev/", "") ?? ""));
	}

	test("is changed, taken out and put in again, and the guest's PV view agrees", async () => {
		const world = await SimWorld.start();
		const [first = "", second = ""] = await images(world, "one.iso", "two.iso");
		const domid = await withDrive(world, first);
		expect(medium(world, domid)).toBe("/dev/xvdc");
		expect(shown(world)).toEqual([first, first]);

		expect((await world.client.changeMedium("desk", "hdc", { path: second })).warnings).toEqual([]);
		expect(medium(world, domid)).toBe("/dev/fdset/2");
		expect(shown(world)).toEqual([second, second]);

		await world.daemon.kill();
		await world.startDaemon();
		expect((await world.client.changeMedium("desk", "hdc", {})).disk.path).toBeUndefined();
		expect(medium(world, domid)).toBeUndefined();
		expect(shown(world)).toEqual([]);
		expect(loops(world)).toEqual([`loop0 of ${world.images.disk}`]);

		await world.client.changeMedium("desk", "5632", { path: first });
		expect(medium(world, domid)).toBe("/dev/fdset/3");
		expect((await world.client.disks("desk")).map(({ path }) => path)).toEqual([world.images.disk, first]);
	});

	test("can be put into a drive that was empty at the start, and is there after a reboot", async () => {
		const world = await SimWorld.start();
		const [first = ""] = await images(world, "one.iso");
		const domid = await withDrive(world, "");
		await world.client.changeMedium("desk", "hdc", { path: first });
		expect(medium(world, domid)).toBe("/dev/fdset/2");
		const serial = await world.console((await world.find("desk")) as never, "serial0");
		await expectText(serial, "# ");
		serial.write("reboot\r");
		const next = await world.eventually("the guest to be back", async () => {
			const found = await world.find("desk");
			return found?.phase === "running" && found.domid !== domid ? found : undefined;
		});
		expect(medium(world, next.domid ?? 0)).toBe("/dev/xvdc");
	});

	test("that QEMU refuses is taken back, and the old one is in again", async () => {
		const world = await SimWorld.start();
		const [first = "", second = ""] = await images(world, "one.iso", "two.iso");
		world.simulated.stubScript = { bootMs: 0, refusedMedia: 1 };
		const domid = await withDrive(world, first);
		await expect(world.client.changeMedium("desk", "hdc", { path: second })).rejects.toMatchObject({});
		expect(shown(world)).toEqual([first, first]);
		expect(medium(world, domid)).toBe("/dev/fdset/3");
		expect((await world.client.disks("desk"))[1]?.path).toBe(first);
	});

	test("leaves the drive empty when neither can be put in, and says so", async () => {
		const world = await SimWorld.start();
		const [first = "", second = ""] = await images(world, "one.iso", "two.iso");
		world.simulated.stubScript = { bootMs: 0, refusedMedia: 2 };
		await withDrive(world, first);
		await expect(world.client.changeMedium("desk", "hdc", { path: second })).rejects.toMatchObject({
			code: "device-failed",
		});
		expect(shown(world)).toEqual([]);
		expect((await world.client.disks("desk"))[1]?.path).toBeUndefined();
		await world.client.changeMedium("desk", "hdc", { path: second });
		expect(shown(world)).toEqual([second, second]);
	});

	test("is refused for a missing file and for a disk, and nothing changes", async () => {
		const world = await SimWorld.start();
		const [first = ""] = await images(world, "one.iso");
		const domid = await withDrive(world, first);
		const before = world.tree;
		const insert = (vdev: string, path: string): Promise<unknown> => world.client.changeMedium("desk", vdev, { path });
		await expect(insert("hdc", "/nowhere.iso")).rejects.toMatchObject({ code: "file-unusable" });
		await expect(insert("hda", first)).rejects.toMatchObject({ code: "device-refused" });
		await expect(insert("hdd", first)).rejects.toMatchObject({ code: "no-such-device" });
		expect(world.tree).toEqual(before);
		expect(medium(world, domid)).toBe("/dev/xvdc");
	});
});

describe("what a guest has written", () => {
	test("is written out by QEMU before its stub domain goes", async () => {
		const world = await SimWorld.start();
		const { domid = 0 } = await world.create(world.hvm("desk"));
		const qemu = world.simulated.findQemu(domid as never);
		await world.client.destroy("desk");
		expect(qemu?.flushes).toBe(1);
	});
});
