import { describe, expect, test } from "vitest";
import { expectText, SimWorld } from "./sim-world.ts";

const MAC = "00:16:3e:01:02:03";
const OTHER = "00:16:3e:01:02:04";

describe("network interfaces on a simulated host", () => {
	test("an HVM guest has each twice in its bridge: its own, and the stub domain's for the emulated card", async () => {
		const world = await SimWorld.start();
		const before = world.tree;
		world.simulated.host.links.add("br1", { isBridge: true });
		const vif = `vif = ["mac=${MAC},model=e1000", "mac=${OTHER},bridge=br1,type=vif"]`;
		const { domid = 0, stub } = await world.create(world.hvm("one", vif));
		expect(world.simulated.host.links.present.toSorted()).toEqual(
			["br1", `vif${domid}.0 in xenbr0`, `vif${domid}.1 in br1`, `vif${stub?.domid}.0 in xenbr0`, "xenbr0"].toSorted(),
		);
		expect(world.tree[`/local/domain/0/backend/vif/${stub?.domid}/0/state`]).toBe("4");
		const args = world.simulated.findQemu(domid as never)?.args ?? [];
		expect(args).toContain(`e1000,id=nic0,netdev=net0,mac=${MAC}`);
		expect(args.filter((arg) => arg === "-netdev")).toHaveLength(1);
		await world.client.destroy("one");
		expect(world.tree).toEqual(before);
		expect(world.simulated.host.links.present).toEqual(["xenbr0", "br1"]);
	});

	test("a PV guest is given another one, keeps it over a restart of the daemon and a reboot, and loses it", async () => {
		const world = await SimWorld.start();
		const first = await world.create(world.pv("pv", `vif = ["mac=${MAC}"]`));
		const console = await world.console(first, "pv");
		expect(await expectText(console, "# ")).toContain("nics: 0");
		const { nic } = await world.client.attachNic("pv", `mac=${OTHER}`);
		expect(nic).toMatchObject({ devid: 1, mac: OTHER, bridge: "xenbr0", interfaceName: `vif${first.domid}.1` });
		await world.daemon.stop();
		await world.startDaemon();
		await world.eventually("both to be connected", async () => {
			const nics = await world.client.nics("pv");
			return nics.every(({ state, eventChannel }) => state === 4 && eventChannel > 0) && nics.length === 2;
		});
		console.write("reboot\r");
		const second = await world.eventually("the guest to be back", async () => {
			const found = await world.find("pv");
			return found?.phase === "running" && found.domid !== first.domid ? found : undefined;
		});
		expect(await expectText(await world.console(second, "pv"), "nics: 0 1")).toBeTruthy();
		expect(await world.client.detachNic("pv", OTHER, { force: false })).toMatchObject({
			nic: { devid: 1, mac: OTHER },
			forced: false,
			complaints: [],
		});
		expect((await world.client.nics("pv")).map(({ devid }) => devid)).toEqual([0]);
		expect(world.simulated.host.links.present).toEqual(["xenbr0", `vif${second.domid}.0 in xenbr0`]);
		expect(Object.keys(world.tree).filter((path) => /\/vif\/.*1$/.test(path))).toEqual([]);
	});

	test("of an emulated card both interfaces go, by force where the guest has no driver", async () => {
		const world = await SimWorld.start();
		await world.create(world.hvm("one", `vif = ["mac=${MAC}"]`));
		const { forced } = await world.client.detachNic("one", "0", { force: true });
		expect(forced).toBe(true);
		expect(world.simulated.host.links.present).toEqual(["xenbr0"]);
		expect(await world.client.nics("one")).toEqual([]);
	});

	test("what is missing or wrong is told before anything is made", async () => {
		const world = await SimWorld.start();
		const before = world.tree;
		const refused = (line: string): Promise<unknown> =>
			world.create(world.pv("pv", line)).catch((error: unknown) => error);
		expect(await refused(`vif = ["bridge=br9"]`)).toMatchObject({ code: "nic-unusable" });
		expect(await refused(`vif = ["script=/scripts/vif-x"]`)).toMatchObject({ code: "file-unusable" });
		expect(world.tree).toEqual(before);
		await world.create(world.pv("pv"));
		const { client } = world;
		for (const [spec, code] of [
			["bridge=br9", "nic-unusable"],
			["type=ioemu", "invalid-input"],
			["script=/scripts/vif-x", "file-unusable"],
		] as const)
			await expect(client.attachNic("pv", spec)).rejects.toMatchObject({ code });
		await expect(client.detachNic("pv", "0", { force: false })).rejects.toMatchObject({ code: "no-such-device" });
		expect(await client.nics("pv")).toEqual([]);
	});

	test("a script sets a nic up and takes it back, and its failure undoes the create", async () => {
		const world = await SimWorld.start();
		const before = world.tree;
		const calls: string[] = [];
		let exitCode = 0;
		world.simulated.host.scripts.set("/scripts/vif-route", async ({ args, env }) => {
			calls.push(`${args[0]} ${env.vif?.replace(/\d+\./, "")}`);
			if (args[0] === "online" && exitCode === 0)
				world.simulated.xenstored.host.write(`/local/domain/0/${env.XENBUS_PATH}/hotplug-status`, "connected");
			return { exitCode, output: "it fails" };
		});
		const vif = `vif = ["script=/scripts/vif-route"]`;
		await world.create(world.pv("pv", vif));
		await world.client.destroy("pv");
		expect(calls).toEqual(["online vif0", "offline vif0"]);
		exitCode = 1;
		await expect(world.create(world.pv("pv", vif))).rejects.toMatchObject({ code: "device-failed" });
		expect(world.tree).toEqual(before);
		expect(world.simulated.host.links.present).toEqual(["xenbr0"]);
	});
});
