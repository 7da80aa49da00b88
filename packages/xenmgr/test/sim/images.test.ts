import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { SimWorld } from "./sim-world.ts";

/** A file with a qcow2 header that names no other (qcow2.txt). */
async function image(world: SimWorld, name: string): Promise<string> {
	const header = Buffer.alloc(4096);
	header.writeUInt32BE(0x514649fb, 0);
	header.writeUInt32BE(3, 4);
	const path = join(world.directory, name);
	await writeFile(path, header);
	return path;
}

const served = (world: SimWorld): string[] =>
	world.simulated.host.images.attached.map((each) => each.replace(/.*\//, ""));

const attach = (world: SimWorld, spec: string): Promise<unknown> =>
	world.client.attachDisk("web", { spec, baseDir: world.directory });

async function connected(world: SimWorld, vdev: string): Promise<void> {
	await world.eventually(
		`${vdev} to be connected`,
		async () => (await world.client.disks("web")).some((disk) => disk.vdev === vdev && disk.state === 4) || undefined,
	);
}

describe("disk images that are not raw", () => {
	test("one at create and one at run time are served, outlive a daemon, and go with a detach and a destroy", async () => {
		const world = await SimWorld.start();
		const first = await image(world, "one.qcow2");
		await image(world, "two.qcow2");
		const { domid } = await world.create(world.pv("web", `disk=["${first},qcow2,xvda,w"]`));
		await connected(world, "xvda");
		await attach(world, "two.qcow2,qcow2,xvdb,w");
		await connected(world, "xvdb");
		expect(served(world)).toEqual(["one.qcow2", "two.qcow2"]);

		await world.daemon.kill();
		await world.startDaemon();
		await connected(world, "xvdb");
		await world.client.reboot("web");
		await world.eventually("the guest to be back", async () => {
			const found = await world.find("web");
			return (found?.phase === "running" && found.domid !== domid) || undefined;
		});
		await connected(world, "xvdb");
		expect(served(world).toSorted()).toEqual(["one.qcow2", "two.qcow2"]);
		await world.client.detachDisk("web", "xvdb", { force: false });
		expect(served(world)).toEqual(["one.qcow2"]);
		await world.client.destroy("web");
		expect(served(world)).toEqual([]);
	});

	test("a server that ends is told of once, and the guest is taken away as ever", async () => {
		const world = await SimWorld.start();
		const path = await image(world, "one.qcow2");
		await world.create(world.pv("web", `disk=["${path},qcow2,xvda,w"]`));
		const told: unknown[] = [];
		const stop = new AbortController();
		const following = (async () => {
			for await (const event of world.client.events("web", stop.signal))
				if (event.type === "disk-state") told.push(event);
		})();
		world.simulated.host.images.killServers();
		await world.eventually("the failure to be told", () => told.length > 0 || undefined);
		expect(told).toMatchObject([{ vdev: "xvda", path, state: "failed" }]);
		await world.client.destroy("web");
		stop.abort();
		await following;
		expect(told).toHaveLength(1);
		expect(served(world)).toEqual([]);
	});

	test("an attach that fails, and a host that cannot serve images, leave nothing", async () => {
		const world = await SimWorld.start();
		await image(world, "one.qcow2");
		await world.create(world.pv("web"));
		const before = world.tree;
		world.simulated.host.faults.inject({ call: "images.attach", errno: "EACCES" });
		await expect(attach(world, "one.qcow2,qcow2,xvdb,w")).rejects.toMatchObject({ code: "hypervisor-refused" });
		world.simulated.host.images.lacks = { why: "qemu-nbd is missing", remedy: "Install qemu-utils" };
		await expect(attach(world, "one.qcow2,qcow2,xvdb,w")).rejects.toMatchObject({
			code: "device-refused",
			remedy: expect.stringContaining("Install qemu-utils"),
		});
		expect(await world.client.doctor()).toContainEqual(
			expect.objectContaining({
				name: "disk images",
				ok: false,
				detail: expect.stringContaining("qemu-nbd is missing"),
			}),
		);
		expect(world.tree).toEqual(before);
		expect(served(world)).toEqual([]);
	});
});
