import { XenstoreClient } from "@bulkhead/xenstore";
import { describe, expect, onTestFinished, test } from "vitest";
import { SimWorld } from "./sim-world.ts";

const DRIVER = ["driver_domain=1", 'cmdline="bulkhead.driver-domain"'];
const NIC = 'vif=["backend=storage,mac=00:16:3e:00:00:01"]';
const DISK = 'disk=["/dev/vg/web,raw,xvda,w,backend=storage"]';

async function connected(world: SimWorld, guest: string): Promise<void> {
	await world.eventually("disks and nics to be connected", async () => {
		const [disks, nics] = await Promise.all([world.client.disks(guest), world.client.nics(guest)]);
		return [...disks, ...nics].every(({ state }) => state === 4) || undefined;
	});
}

describe("a driver domain", () => {
	test("serves a guest's disk and nic, at create and at run time, and keeps nothing of them", async () => {
		const world = await SimWorld.start();
		const storage = await world.create(world.pv("storage", ...DRIVER));
		const driver = `/local/domain/${storage.domid}`;
		const store = XenstoreClient.over(world.simulated.xenstored.connectClient());
		onTestFinished(() => store.close());
		expect((await store.permissions(`${driver}/libxl`))[0]).toMatchObject({ domid: storage.domid });
		const before = Object.keys(world.tree);

		const web = await world.create(world.pv("web", DISK, NIC));
		await connected(world, "web");
		expect(await world.client.disks("web")).toMatchObject([
			{ backendDomid: storage.domid, backendPath: `${driver}/backend/vbd/${web.domid}/51712` },
		]);
		expect(world.tree).toMatchObject({
			[`${driver}/backend/vbd/${web.domid}/51712/params`]: "/dev/vg/web",
			[`${driver}/backend/vbd/${web.domid}/51712/script`]: "/scripts/block",
			[`${driver}/backend/vif/${web.domid}/0/bridge`]: "xenbr0",
			[`/local/domain/${web.domid}/device/vbd/51712/backend-id`]: `${storage.domid}`,
		});
		expect(await store.permissions(`${driver}/backend/vbd/${web.domid}/51712`)).toEqual([
			{ domid: storage.domid, access: "none" },
			{ domid: web.domid, access: "read" },
		]);

		await world.daemon.kill();
		await world.startDaemon();
		await world.client.attachDisk("web", { spec: "/dev/vg/more,raw,xvdb,w,backend=storage", baseDir: "/" });
		await connected(world, "web");
		await world.client.detachDisk("web", "xvdb", { force: false });
		await world.client.detachNic("web", "0", { force: false });
		await world.client.destroy("web");
		expect(Object.keys(world.tree)).toEqual(before);
	});

	test("keeps nothing of a create that fails at any step", async () => {
		const world = await SimWorld.start();
		await world.create(world.pv("storage", ...DRIVER));
		const before = Object.keys(world.tree);
		for (let index = 0; ; index++) {
			const lines = await world.createWithFault(world.pv("web", DISK, NIC), `fail:${index}`);
			if (lines.at(-1)?.type === "result") break;
			expect(Object.keys(world.tree), `after step ${index}`).toEqual(before);
		}
	});

	test("that is not there is named, and nothing is created", async () => {
		const world = await SimWorld.start();
		await expect(world.create(world.pv("web", DISK))).rejects.toMatchObject({ code: "no-backend-domain" });
		expect(await world.client.guests()).toEqual([]);
	});

	test("that never closes a device, or is gone, does not hold its guests", async () => {
		const world = await SimWorld.start();
		world.simulated.guestManners = "deaf";
		await world.create(world.pv("storage", ...DRIVER));
		world.simulated.guestManners = "polite";
		const before = Object.keys(world.tree);
		await world.create(world.pv("web", DISK, NIC));
		await connected(world, "web");
		const since = performance.now();
		await world.client.destroy("web");
		expect(performance.now() - since).toBeLessThan(8000);
		expect(Object.keys(world.tree)).toEqual(before);

		await world.create(world.pv("web", DISK, NIC));
		await connected(world, "web");
		await world.client.destroy("storage");
		await world.client.destroy("web");
		expect(await world.client.guests()).toEqual([]);
	});
});
