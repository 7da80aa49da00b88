import { describe, expect, test } from "vitest";
import { SimWorld } from "./sim-world.ts";

const NIC = "0000:03:00.0";
const CARD = ["0000:04:00.0", "0000:04:00.1"] as const;
const PCI_DEVICES = [
	{
		address: NIC,
		driver: "e1000e",
		irq: 17,
		resources: [
			[0xf000_0000, 0xf001_ffff, 0x200],
			[0xc000, 0xc01f, 0x101],
		] as const,
	},
	...CARD.map((address) => ({ address, driver: "snd", resources: [[0xf100_0000, 0xf100_0fff, 0x200]] as const })),
];
const back = (domid: number | undefined): string => `/local/domain/0/backend/pci/${domid}/0`;

/** PV guests' pcifront does what it is asked to, and pciback says so. */
function obligingPcifront(world: SimWorld): () => void {
	const { host } = world.simulated.xenstored;
	const timer = setInterval(() => {
		for (const [path, state] of Object.entries(world.tree))
			if (/^\/local\/domain\/0\/backend\/pci\/\d+\/0\/state$/.test(path) && state !== "4") host.write(path, "4");
	}, 5);
	return () => clearInterval(timer);
}

describe("PCI devices of the host", () => {
	test("are taken from domain 0, listed, named, and given back to their driver", async () => {
		const world = await SimWorld.start({ pciDevices: PCI_DEVICES });
		const { client, simulated } = world;
		const { sysfs, iommu } = simulated.host;
		const before = world.tree;
		expect(await client.assignablePci()).toEqual([]);
		expect(await client.makePciAssignable({ address: NIC, name: "nic" })).toEqual({ address: NIC, name: "nic" });
		expect(sysfs.driverOf(NIC)).toBe("pciback");
		expect(iommu.ownerOf(0x300)).toBe("nobody");
		expect(world.tree["/libxl/pci/0000-03-00-0/driver_path"]).toBe("/sys/bus/pci/drivers/e1000e");
		await client.makePciAssignable({ address: NIC, name: "nic" });
		expect(await client.makePciUnassignable("nic", { rebind: true })).toEqual({ address: NIC });
		expect(sysfs.driverOf(NIC)).toBe("e1000e");
		expect(iommu.ownerOf(0x300)).toBe(0);
		expect(Object.keys(world.tree).filter((path) => path.includes("pci/"))).toEqual([]);
		expect(Object.keys(before).filter((path) => path.includes("pci/"))).toEqual([]);
		await expect(client.makePciAssignable({ address: "0000:09:00.0" })).rejects.toMatchObject({
			code: "no-such-device",
		});
	});

	test("go to a PV guest from its start, with ports, memory and interrupt, and are free again at its end", async () => {
		const world = await SimWorld.start({ pciDevices: PCI_DEVICES });
		const { client, simulated } = world;
		await client.makePciAssignable({ address: NIC });
		const guest = await world.create(world.pv("one", `pci = ["03:00.0,permissive=1", "04:00.*@6,seize=1"]`));
		const domain = [...simulated.host.domains].find(({ domid }) => domid === guest.domid);
		expect(domain).toMatchObject({ hasIommu: true, irqs: [17] });
		expect(domain?.ioPorts).toEqual([{ first: 0xc000, count: 32 }]);
		expect(domain?.deviceFrames).toContainEqual({ first: 0xf0000, count: 32 });
		expect([0x300, 0x400, 0x401].map((device) => simulated.host.iommu.ownerOf(device))).toEqual(
			Array.from({ length: 3 }, () => guest.domid),
		);
		expect(world.tree).toMatchObject({
			[`${back(guest.domid)}/num_devs`]: "3",
			[`${back(guest.domid)}/dev-0`]: NIC,
			[`${back(guest.domid)}/opts-0`]: "msitranslate=0,power_mgmt=0,permissive=1,rdm_policy=strict",
			[`${back(guest.domid)}/vdevfn-1`]: "30",
			[`${back(guest.domid)}/vdevfn-2`]: "31",
			[`/local/domain/${guest.domid}/device/pci/0/backend`]: back(guest.domid),
			"/libxl/pci/0000-03-00-0/domid": `${guest.domid}`,
		});
		expect(simulated.host.sysfs.written).toContain(`bus/pci/drivers/pciback/permissive ${NIC}`);
		expect((await client.assignablePci()).map(({ domid }) => domid)).toEqual(
			Array.from({ length: 3 }, () => guest.domid),
		);
		await expect(client.makePciUnassignable(NIC, { rebind: false })).rejects.toMatchObject({ code: "device-refused" });
		await expect(world.create(world.pv("two", 'pci = ["03:00.0"]'))).rejects.toThrow(/is domain \d+'s/);
		await client.destroy("one");
		expect((await client.assignablePci()).map(({ domid }) => domid)).toEqual([undefined, undefined, undefined]);
		expect(Object.keys(world.tree).filter((path) => path.includes("backend/pci"))).toEqual([]);
	});

	test("come and go while a PV guest runs", async () => {
		const world = await SimWorld.start({ pciDevices: PCI_DEVICES });
		const { client, simulated } = world;
		const stop = obligingPcifront(world);
		const guest = await world.create(world.pv("one", 'passthrough = "enabled"'));
		const domain = [...simulated.host.domains].find(({ domid }) => domid === guest.domid);
		for (const address of [NIC, CARD[0]]) await client.attachPci("one", { spec: `${address},seize=1` });
		expect(await client.pci("one")).toEqual([{ address: NIC }, { address: CARD[0] }]);
		await client.detachPci("one", NIC, { force: false });
		expect(world.tree).toMatchObject({
			[`${back(guest.domid)}/num_devs`]: "1",
			[`${back(guest.domid)}/dev-0`]: CARD[0],
		});
		expect(domain).toMatchObject({ irqs: [], ioPorts: [] });
		expect(simulated.host.iommu.ownerOf(0x300)).toBe("nobody");
		expect(world.tree["/libxl/pci/0000-03-00-0/domid"]).toBeUndefined();
		await client.attachPci("one", { spec: NIC });
		expect(world.tree[`${back(guest.domid)}/dev-1`]).toBe(NIC);
		stop();
	});

	test("are never given without an IOMMU, nor to guests that could not use them", async () => {
		const bare = await SimWorld.start();
		for (const refused of [
			bare.client.makePciAssignable({ address: NIC }),
			bare.create(bare.pv("one", 'pci = ["03:00.0"]')),
		])
			await expect(refused).rejects.toThrow(/no IOMMU/);
		const world = await SimWorld.start({ pciDevices: PCI_DEVICES });
		await expect(world.create(world.hvm("one", 'pci = ["03:00.0,seize=1"]'))).rejects.toThrow(/built without PCI/);
		await expect(world.create(world.pv("one", 'pci = ["03:00.0"]'))).rejects.toThrow(/is not assignable/);
		await expect(world.create(world.pv("one", 'pci = ["04:00.*,seize=1"]'))).rejects.toThrow(/needs a slot/);
		await world.create(world.pv("plain"));
		await expect(world.client.attachPci("plain", { spec: `${NIC},seize=1` })).rejects.toThrow(
			/without access to the IOMMU/,
		);
		expect(world.simulated.host.sysfs.driverOf(NIC)).toBe("e1000e");
	});

	test("are given back by a create that fails at any of Xen's calls", async () => {
		const world = await SimWorld.start({ pciDevices: PCI_DEVICES });
		const { client, simulated } = world;
		await client.makePciAssignable({ address: NIC });
		for (const call of ["pci.test", "domains.permitMemory", "domains.permitIrq", "pci.assign"]) {
			simulated.host.faults.inject({ process: "bulkheadd", call, nth: 1, errno: "EINVAL" });
			await expect(world.create(world.pv("one", 'pci = ["03:00.0"]')), call).rejects.toThrow();
			expect(await client.assignablePci(), call).toEqual([{ address: NIC }]);
		}
		await world.create(world.pv("one", 'pci = ["03:00.0"]'));
	});
});
