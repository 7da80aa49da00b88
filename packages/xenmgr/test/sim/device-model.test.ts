import type { DomId } from "@bulkhead/base";
import { describe, expect, test } from "vitest";
import { SimWorld } from "./sim-world.ts";

describe("a device model that does not start", () => {
	test("fails the create with the stub's own reason and its log, and leaves nothing", async () => {
		const world = await SimWorld.start();
		const before = world.tree;
		world.simulated.stubScript = { bootMs: 0, failure: "qemu-system-i386: no such disk" };
		const created = world.create(world.hvm("one"));
		await expect(created).rejects.toMatchObject({
			code: "device-model-failed",
			fields: { log: expect.arrayContaining([expect.stringContaining("no such disk")]) },
		});
		await expect(created).rejects.toSatisfy((error: Error) => JSON.stringify(error.cause).includes("no such disk"));
		expect(world.tree).toEqual(before);
		world.simulated.assertIdle();
	});

	test.each(["crash", "poweroff"] as const)("is told at once when the stub domain ends by %s", async (end) => {
		const world = await SimWorld.start();
		const before = world.tree;
		world.simulated.stubScript = { bootMs: 0, end };
		const created = world.create(world.hvm("one"));
		await expect(created).rejects.toMatchObject({ code: "device-model-failed" });
		await expect(created).rejects.toSatisfy((error: Error) => JSON.stringify(error.cause).includes(`ended (${end})`));
		expect(world.tree).toEqual(before);
	});

	test("is waited for as long as its stub domain boots", async () => {
		const world = await SimWorld.start();
		world.simulated.stubScript = { bootMs: 30_000 };
		let isCreated = false;
		const created = world.create(world.hvm("slow")).then(() => {
			isCreated = true;
		});
		await world.eventually("the stub domain to boot", () => world.clock.pending > 0 || undefined);
		await world.clock.advance(29_999);
		expect(isCreated).toBe(false);
		await world.clock.advance(1);
		await created;
	});
});

type Ending = [what: string, end: (world: SimWorld, guest: { domid: DomId; stub: DomId }) => void];

const ENDINGS: Ending[] = [
	["QEMU is killed", (world, { domid }) => void world.simulated.findQemu(domid)?.die("killed by signal 9")],
	["QEMU quits", (world) => void world.client.qmp("one", { command: "quit", timeoutMs: 1000 }).catch(() => {})],
	["the stub domain is destroyed", (world, { stub }) => world.simulated.host.destroy(stub)],
	[
		"the stub domain crashes",
		(world, { stub }) => void world.daemon.process.hypervisor.domains.shutdown(stub, "crash"),
	],
];

describe.each(ENDINGS.filter(([what]) => what !== "QEMU quits"))("when %s", (_, end) => {
	async function fail(action: string) {
		const world = await SimWorld.start();
		const before = world.tree;
		const guest = await world.create(world.hvm("one", `on_device_model_failure="${action}"`));
		end(world, { domid: guest.domid as DomId, stub: guest.stub?.domid as DomId });
		return { world, before };
	}

	test("the guest is destroyed where its config says so", async () => {
		const { world, before } = await fail("destroy");
		await world.eventually("the guest to be gone", async () => (await world.find("one")) === undefined || undefined);
		expect(world.tree).toEqual(before);
		world.simulated.assertIdle();
	});

	test("the guest is paused where its config says so", async () => {
		const { world, before } = await fail("pause");
		const paused = await world.eventually("the guest to be paused", async () => {
			const found = await world.find("one");
			return found?.phase === "paused" ? found : undefined;
		});
		expect(paused.stub).toMatchObject({ state: "failed" });
		await world.client.destroy("one");
		expect(world.tree).toEqual(before);
	});

	test("the guest runs on where its config says so", async () => {
		const { world, before } = await fail("preserve");
		const found = await world.eventually("the failure to be noticed", async () => {
			const guest = await world.find("one");
			return guest?.stub?.state === "failed" ? guest : undefined;
		});
		expect(found.phase).toBe("running");
		await world.client.destroy("one");
		expect(world.tree).toEqual(before);
	});
});
