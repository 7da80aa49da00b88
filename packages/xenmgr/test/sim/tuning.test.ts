import { describe, expect, test } from "vitest";
import { SimWorld } from "./sim-world.ts";

/** What xenstore says at a path below the guest's domain. */
const node = (world: SimWorld, domid: number | undefined, path: string): Promise<string | undefined> =>
	Promise.resolve(world.tree[`/local/domain/${domid}/${path}`] as string | undefined);

describe("processors and memory of a running guest", () => {
	test("vcpus are taken up and down by xenstore, within what the config allows", async () => {
		const world = await SimWorld.start();
		const { domid } = await world.create(world.pv("web", "vcpus=1", "maxvcpus=3"));
		const available = async (): Promise<unknown[]> =>
			Promise.all([0, 1, 2].map((vcpu) => node(world, domid, `cpu/${vcpu}/availability`)));
		expect(await available()).toEqual(["online", "offline", "offline"]);
		await world.client.setVcpus("web", 2);
		expect(await available()).toEqual(["online", "online", "offline"]);
		await expect(world.client.setVcpus("web", 4)).rejects.toThrow("1 to 3");
		await expect(world.client.setVcpus("web", 0)).rejects.toThrow("1 to 3");
		const { vcpus, hostCpus } = await world.client.vcpus("web");
		expect(vcpus.map(({ vcpu }) => vcpu)).toEqual([0, 1, 2]);
		expect(hostCpus).toBe(4);
	});

	test("vcpus are pinned from the start by the config, and later by request", async () => {
		const world = await SimWorld.start();
		await world.create(world.pv("web", "vcpus=2", 'cpus=["1", "2-3"]', "cpu_weight=300"));
		const hard = async (): Promise<number[][]> => (await world.client.vcpus("web")).vcpus.map(({ hard: cpus }) => cpus);
		expect(await hard()).toEqual([[1], [2, 3]]);
		await world.client.pinVcpu("web", { vcpu: "all", hard: "all,^0", soft: "3" });
		expect(await hard()).toEqual([
			[1, 2, 3],
			[1, 2, 3],
		]);
		await expect(world.client.pinVcpu("web", { vcpu: 5, hard: "1" })).rejects.toThrow("no vcpu 5");
		await expect(world.client.pinVcpu("web", { vcpu: 0, hard: "9" })).rejects.toThrow("no processor");
		expect(await world.client.scheduling("web")).toMatchObject({ scheduler: "credit2", weight: 300, pool: "Pool-0" });
		await world.client.setScheduling("web", { scheduler: "credit2", cap: 50 });
		expect(await world.client.scheduling("web")).toMatchObject({ weight: 300, cap: 50 });
		await expect(world.client.setScheduling("web", { scheduler: "credit", cap: 50 })).rejects.toThrow("credit2");
	});

	test("a host keeps processors from guests, whatever their configs say", async () => {
		const world = await SimWorld.start();
		await world.daemon.stop();
		world.options = { guestCpus: { all: "1-3", hvm: "all,^2" } };
		await world.startDaemon();
		const hard = async (name: string): Promise<number[][]> =>
			(await world.client.vcpus(name)).vcpus.map(({ hard: cpus }) => cpus);
		await world.create(world.pv("pv", "vcpus=2", 'cpus=["0-1"]'));
		expect(await hard("pv")).toEqual([[1], [1, 2, 3]]);
		await world.create(world.hvm("hvm"));
		expect(await hard("hvm")).toEqual([[1, 3]]);
		await world.client.pinVcpu("hvm", { vcpu: 0, hard: "2-3" });
		expect(await hard("hvm")).toEqual([[3]]);
		await expect(world.client.pinVcpu("hvm", { vcpu: 0, hard: "0,2" })).rejects.toThrow("leaves none");
		await world.client.pinVcpu("hvm", { vcpu: 0, hard: "0,2", ignoreMasks: true });
		expect(await hard("hvm")).toEqual([[0, 2]]);
		await expect(world.create(world.pv("none", 'cpus="0"'))).rejects.toThrow("leaves none");
		expect((await world.client.guests()).map(({ name }) => name)).toEqual(["pv", "hvm"]);
	});

	test("memory has a target for the guest and a limit for Xen", async () => {
		const world = await SimWorld.start();
		const { domid } = await world.create(world.pv("web", "memory=64", "maxmem=128"));
		expect(await node(world, domid, "memory/static-max")).toBe(`${128 * 1024}`);
		await world.client.setMemory("web", { targetKiB: 96 * 1024 });
		expect(await node(world, domid, "memory/target")).toBe(`${96 * 1024}`);
		await expect(world.client.setMemory("web", { targetKiB: 129 * 1024 })).rejects.toThrow("128 MiB");
		await expect(world.client.setMemory("web", { targetKiB: 1024 })).rejects.toThrow("16 to 128");
		await expect(world.client.setMemory("web", { maxKiB: 64 * 1024 })).rejects.toThrow("96 MiB");
		await world.client.setMemory("web", { maxKiB: 256 * 1024 });
		const info = [...world.simulated.host.domains].find((each) => each.domid === domid);
		expect(info?.maxKiB).toBe(256 * 1024 + 1024);
	});

	test("a cpupool is made, used and taken away, and its name is found again", async () => {
		const world = await SimWorld.start();
		await world.create(world.pv("web"));
		await expect(world.client.createPool({ name: "lab", scheduler: "credit", cpus: "3" })).rejects.toThrow("CPU 3");
		expect(await world.client.pools()).toHaveLength(1);
		await world.client.changePoolCpus("Pool-0", "3", { remove: true });
		await world.client.createPool({ name: "lab", scheduler: "credit", cpus: "3" });
		await world.client.moveToPool("web", "lab");
		expect(await world.client.pools()).toContainEqual({
			id: 1,
			name: "lab",
			scheduler: "credit",
			domains: 1,
			cpus: [3],
		});
		await expect(world.client.destroyPool("lab")).rejects.toThrow("1 domains run");
		await world.client.moveToPool("web", "0");
		await world.client.destroyPool("lab");
		await world.client.changePoolCpus("0", "3", { remove: false });
		await expect(world.client.moveToPool("web", "lab")).rejects.toThrow("no cpupool");
		expect(world.tree["/local/pool/1/name"]).toBeUndefined();
	});

	test("signals reach the guest, and keys the hypervisor", async () => {
		const world = await SimWorld.start();
		const { domid } = await world.create(world.pv("web"));
		await world.client.trigger("web", { trigger: "nmi" });
		const domain = [...world.simulated.host.domains].find((each) => each.domid === domid);
		expect(domain?.triggers).toEqual(["nmi"]);
		await expect(world.client.trigger("web", { trigger: "power" })).rejects.toThrow("power");
		await expect(world.client.trigger("web", { trigger: "s3resume" })).rejects.toThrow("HVM");
		await world.client.sysrq("web", "s");
		expect(await node(world, domid, "control/sysrq")).toBe("s");
		await world.client.debugKeys("q");
		expect(await world.client.dmesg()).toContain("'q' pressed");
	});
});
