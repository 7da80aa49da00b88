import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { SimWorld } from "./sim-world.ts";

describe("an HVM guest that boots a kernel in place of a disk", () => {
	test("has kernel and ramdisk as disks of its stub domain alone, until it is destroyed", async () => {
		const world = await SimWorld.start();
		const before = world.tree;
		const ramdisk = join(world.directory, "initrd");
		await writeFile(ramdisk, Buffer.alloc(1000, 1));
		const boot = [`kernel = "${world.images.guestKernel}"`, `ramdisk = "${ramdisk}"`, 'cmdline = "quiet, please"'];
		const { domid, stub, uuid } = await world.create(world.hvm("direct", ...boot));
		const args = world.simulated.findQemu(domid as never)?.args.join(" ") ?? "";
		expect(args).toContain("-kernel /dev/xvdy -initrd /dev/xvdz -append quiet, please");
		for (const devnum of [268_441_600, 268_441_856]) {
			expect(world.tree[`/local/domain/0/backend/vbd/${stub?.domid}/${devnum}/mode`]).toBe("r");
			expect(world.tree[`/local/domain/${stub?.domid}/device/vbd/${devnum}/state`]).toBe("4");
			expect(world.tree[`/local/domain/${domid}/device/vbd/${devnum}/state`]).toBeUndefined();
		}
		const guests = (): Promise<string[]> => readdir(join(world.directory, "guests"));
		expect(await guests()).toContain(`${uuid}.boot`);
		expect(world.simulated.host.loops.attached).toHaveLength(3);
		await world.client.destroy("direct");
		expect(await guests()).toEqual([]);
		expect(world.tree).toEqual(before);
		world.simulated.assertIdle();
	});

	test("leaves no copies behind when its create fails, or when the file is no kernel", async () => {
		const world = await SimWorld.start();
		const config = world.hvm("direct", `kernel = "${world.images.guestKernel}"`);
		for (const step of [1, 2, 14]) {
			const lines = await world.createWithFault(config, `fail:${step}`);
			expect(lines.at(-1)).toMatchObject({ type: "error" });
			expect(await readdir(join(world.directory, "guests")), `step ${step}`).toEqual([]);
		}
		await expect(world.create(world.hvm("direct", `kernel = "${world.images.disk}"`))).rejects.toMatchObject({
			code: "file-unusable",
		});
	});
});
