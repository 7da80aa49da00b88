import type { HotplugCall } from "@bulkhead/hypervisor";
import { expect, test } from "vitest";
import { SimWorld } from "./sim-world.ts";

const SCRIPT = "/scripts/block-net";

/** A script that makes a device of what it is told, as Xen's protocol of block scripts has it. */
function withScript(world: SimWorld): HotplugCall[] {
	const calls: HotplugCall[] = [];
	const devices = new Map<string, () => void>();
	const { host, xenstored } = world.simulated;
	host.scripts.set(SCRIPT, async (call) => {
		calls.push(call);
		const { XENBUS_PATH = "" } = call.env;
		const node = `/local/domain/0/${XENBUS_PATH}`;
		if (call.args[0] === "remove") devices.get(XENBUS_PATH)?.();
		else if (world.tree[`${node}/params`] !== "target:1") return { exitCode: 1, output: "no such target" };
		else {
			const device = host.loops.attach(world.images.disk, false);
			devices.set(XENBUS_PATH, device.release);
			xenstored.host.write(`${node}/physical-device`, device.physicalDevice);
		}
		return { exitCode: 0, output: "" };
	});
	return calls;
}

test("a disk's script is run for it at create, at run time and at the end, and its failure leaves nothing", async () => {
	const world = await SimWorld.start();
	const calls = withScript(world);
	const connected = (vdev: string): Promise<unknown> =>
		world.eventually(
			`${vdev} to be connected`,
			async () => (await world.client.disks("web")).some((disk) => disk.vdev === vdev && disk.state === 4) || undefined,
		);
	await world.create(world.pv("web", 'disk=["script=block-net,vdev=xvda,access=rw,target=target:1"]'));
	await connected("xvda");
	await world.client.attachDisk("web", { spec: `script=${SCRIPT},vdev=xvdb,target=target:1`, baseDir: "/" });
	await connected("xvdb");
	await world.client.detachDisk("web", "xvdb", { force: false });
	const before = world.tree;
	await expect(
		world.client.attachDisk("web", { spec: `script=${SCRIPT},vdev=xvdb,target=target:2`, baseDir: "/" }),
	).rejects.toMatchObject({ code: "device-failed", message: expect.stringContaining("no such target") });
	expect(world.tree).toEqual(before);
	await world.client.destroy("web");
	expect(calls.map(({ args }) => args[0])).toEqual(["add", "add", "remove", "add", "remove", "remove"]);
	expect(calls[0]?.env).toMatchObject({ script: SCRIPT, XENBUS_TYPE: "vbd", XENBUS_BASE_PATH: "backend" });
	expect(world.simulated.host.loops.attached).toEqual([]);
});
