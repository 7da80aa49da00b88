import { DOM0, domId } from "@bulkhead/base";
import type { SimHost } from "@bulkhead/hypervisor/sim";
import { SimHost as Host } from "@bulkhead/hypervisor/sim";
import { XenstoreClient } from "@bulkhead/xenstore";
import { XenstoreServer } from "@bulkhead/xenstore/server";
import { describe, expect, onTestFinished, test } from "vitest";
import type { NicHost } from "../src/devices/connect-nic.ts";
import { attachNic, connectTaps, detachNic } from "../src/devices/nics.ts";
import { nic } from "./fixtures.ts";

const GUEST = domId(7);
const BACKEND = "/local/domain/0/backend/vif/7/0";
const FRONTEND = "/local/domain/7/device/vif/0";
const ROUTE = "/scripts/vif-route";

/** A domain 0 whose netback makes interfaces, with a guest whose netfront connects and closes as it is told. */
class NicWorld {
	readonly server: XenstoreServer = new XenstoreServer();
	readonly store: XenstoreClient = XenstoreClient.over(this.server.connectClient());
	readonly sim: SimHost = new Host();
	readonly host: NicHost = { xenstore: this.store, hypervisor: this.sim.startProcess("daemon").hypervisor };
	/** Ends netback and netfront. */
	readonly stop: AbortController = new AbortController();

	constructor({ netfront = true }: { netfront?: boolean } = {}) {
		this.sim.links.add("xenbr0", { isBridge: true });
		this.server.introduceDomain(GUEST);
		for (const path of ["/local/domain/0", "/local/domain/7/device", "/libxl/7"])
			this.server.host.write(path, "", [{ domid: DOM0, access: "none" }]);
		const netback = XenstoreClient.over(this.server.connectClient());
		const front = XenstoreClient.over(this.server.connectClient());
		void this.#netback(netback).catch(() => {});
		if (netfront) void this.#netfront(front).catch(() => {});
		onTestFinished(async () => {
			this.stop.abort();
			for (const client of [netback, front, this.store]) client.close();
			await this.server.close();
		});
	}

	get tree(): Record<string, string> {
		return this.server.host.toJSON();
	}

	async #netback(store: XenstoreClient): Promise<void> {
		let gone: (() => void) | undefined;
		for await (const _ of store.watch("/local/domain", { signal: this.stop.signal })) {
			const [state, front, online] = await Promise.all(
				[`${BACKEND}/state`, `${FRONTEND}/state`, `${BACKEND}/online`].map((path) => store.find(path)),
			);
			if (state === "1" && !gone) {
				gone = this.sim.links.add("vif7.0");
				await store.write(`${BACKEND}/state`, 2);
			}
			if (gone && (state === undefined || (online === "0" && (front === undefined || front === "6")))) {
				gone();
				gone = undefined;
				if (state !== undefined) await store.write(`${BACKEND}/state`, 6);
			}
		}
	}

	async #netfront(store: XenstoreClient): Promise<void> {
		for await (const _ of store.watch(`${BACKEND}/state`, { signal: this.stop.signal })) {
			const state = await store.find(`${BACKEND}/state`);
			if (state === "2") await store.write(`${FRONTEND}/state`, 4);
			if (state === "5") await store.write(`${FRONTEND}/state`, 6);
		}
	}
}

describe("a nic of a running domain", () => {
	test("is joined to its bridge, brought up, and told to be connected", async () => {
		const world = new NicWorld();
		await attachNic(world.host, GUEST, nic({ type: "vif", mtu: 1400 }));
		expect(world.sim.links.find("vif7.0")).toEqual({ isBridge: false, bridge: "xenbr0", mtu: 1400, isUp: true });
		expect(world.tree[`${BACKEND}/hotplug-status`]).toBe("connected");
	});

	test("has the name that its config gives", async () => {
		const world = new NicWorld();
		await attachNic(world.host, GUEST, nic({ type: "vif", interfaceName: "web0" }));
		expect(world.sim.links.present).toEqual(["xenbr0", "web0 in xenbr0"]);
	});

	test("is set up by a script alone, if it has one, and taken back by it", async () => {
		const world = new NicWorld();
		const calls: unknown[] = [];
		world.sim.scripts.set(ROUTE, async ({ args, env }) => {
			calls.push([...args, env.vif, await world.store.find(`${BACKEND}/state`)]);
			return { exitCode: 0, output: "" };
		});
		const routed = nic({ type: "vif", script: ROUTE });
		await attachNic(world.host, GUEST, routed);
		expect(world.sim.links.find("vif7.0")).toMatchObject({ bridge: undefined, isUp: false });
		expect(await detachNic(world.host, GUEST, routed, { force: false })).toEqual({ forced: false, complaints: [] });
		expect(calls).toEqual([
			["online", "type_if=vif", "vif7.0", "2"],
			["offline", "type_if=vif", "vif7.0", "6"],
		]);
	});

	test("leaves nothing when its script fails, which says why", async () => {
		const world = new NicWorld();
		const before = world.tree;
		world.sim.scripts.set(ROUTE, async ({ args }) => {
			if (args[0] === "online") await world.store.write(`${BACKEND}/hotplug-error`, "no route\u001b[31m");
			return { exitCode: args[0] === "online" ? 1 : 0, output: "noise" };
		});
		const attached = attachNic(world.host, GUEST, nic({ type: "vif", script: ROUTE }));
		await expect(attached).rejects.toMatchObject({
			code: "device-failed",
			message: `The script /scripts/vif-route ended with status 1 for vif 0 of domain ${GUEST}: no route\\u{1b}[31m`,
		});
		expect(world.tree).toEqual(before);
		expect(world.sim.links.present).toEqual(["xenbr0"]);
	});

	test("leaves nothing when its bridge has gone meanwhile", async () => {
		const world = new NicWorld();
		const before = world.tree;
		world.sim.links.remove("xenbr0");
		await expect(attachNic(world.host, GUEST, nic({ type: "vif" }))).rejects.toMatchObject({ errno: "ENODEV" });
		expect(world.tree).toEqual(before);
	});

	test("is taken away with everything of it, also twice", async () => {
		const world = new NicWorld();
		const before = world.tree;
		await attachNic(world.host, GUEST, nic({ type: "vif" }));
		expect(await detachNic(world.host, GUEST, nic(), { force: false })).toEqual({ forced: false, complaints: [] });
		expect(world.tree).toEqual(before);
		expect(world.sim.links.present).toEqual(["xenbr0"]);
		await detachNic(world.host, GUEST, nic(), { force: false });
		expect(world.tree).toEqual(before);
	});

	test("is taken away by force from a guest without a driver", async () => {
		const world = new NicWorld({ netfront: false });
		const before = world.tree;
		await attachNic(world.host, GUEST, nic({ type: "vif" }));
		expect(await detachNic(world.host, GUEST, nic(), { force: true })).toEqual({ forced: true, complaints: [] });
		expect(world.tree).toEqual(before);
	});

	test("goes where the config says, whatever its guest writes", async () => {
		const world = new NicWorld();
		world.sim.links.add("other", { isBridge: true });
		const guest = XenstoreClient.over(world.server.connectDomain(GUEST));
		onTestFinished(() => guest.close());
		await attachNic(world.host, GUEST, nic({ type: "vif" }));
		await expect(guest.write(`${FRONTEND}/mac`, "00:16:3e:ff:ff:ff")).rejects.toMatchObject({ errno: "EACCES" });
		await expect(guest.write(`${FRONTEND}/backend`, "/x")).rejects.toMatchObject({ errno: "EACCES" });
		await expect(guest.write(`${BACKEND}/bridge`, "other")).rejects.toMatchObject({ errno: "EACCES" });
		await guest.write(`${FRONTEND}/bridge`, "other");
		expect(world.sim.links.find("vif7.0")?.bridge).toBe("xenbr0");
	});

	test("has its tap joined as well, when QEMU runs in domain 0", async () => {
		const world = new NicWorld();
		world.sim.links.add("vif7.0-emu");
		world.sim.links.add("vif7.1-emu");
		const calls: unknown[] = [];
		world.sim.scripts.set(ROUTE, ({ args, env }) => {
			calls.push([...args, env.INTERFACE]);
			return { exitCode: 0, output: "" };
		});
		const nics = [nic({ mtu: 1400 }), nic({ devid: 1, script: ROUTE }), nic({ devid: 2, type: "vif" })];
		await connectTaps(world.host, GUEST, nics);
		expect(world.sim.links.find("vif7.0-emu")).toMatchObject({ bridge: "xenbr0", mtu: 1400, isUp: true });
		expect(world.sim.links.find("vif7.1-emu")).toMatchObject({ bridge: undefined });
		expect(calls).toEqual([["add", "type_if=tap", "vif7.1-emu"]]);
	});
});
