import type { DomId } from "@bulkhead/base";
import { XenstoreClient } from "@bulkhead/xenstore";
import { describe, expect, onTestFinished, test } from "vitest";
import { expectText, SimWorld } from "./sim-world.ts";

describe("another bulkheadd", () => {
	test.each(["stop", "kill"] as const)("adopts what runs, after a %s", async (way) => {
		const world = await SimWorld.start();
		const guests = [await world.create(world.hvm("one")), await world.create(world.pv("two"))];
		await world.daemon[way]();
		await world.startDaemon();
		const adopted = await world.client.guests();
		expect(adopted.map(({ uuid, domid, phase }) => ({ uuid, domid, phase })).toSorted(byDomid)).toEqual(
			guests.map(({ uuid, domid }) => ({ uuid, domid, phase: "running" })),
		);
		const status = await world.eventually("QMP to be back", () =>
			world.client.qmp("one", { command: "query-status", timeoutMs: 1000 }).catch(() => undefined),
		);
		expect(status).toMatchObject({ running: true });
	});

	test("notices what ended while there was none", async () => {
		const world = await SimWorld.start();
		const before = world.tree;
		const { domid = 0 } = await world.create(world.hvm("one"));
		await world.daemon.kill();
		world.simulated.host.destroy(domid as never);
		await world.startDaemon();
		await world.eventually("the guest to be gone", async () => (await world.find("one")) === undefined || undefined);
		expect(world.tree).toEqual(before);
	});

	test("undoes a create in which the one before died, at whichever of Xen's calls", async () => {
		const world = await SimWorld.start();
		const before = world.tree;
		const { faults } = world.simulated.host;
		const deaths = [
			{ call: "domains.create", nth: 1 },
			{ call: "domains.create", nth: 2 },
			{ call: "domains.allocUnboundEvtchn", nth: 3 },
			{ call: "builder.buildHvm", nth: 1 },
			{ call: "builder.buildPv", nth: 1 },
			{ call: "loops.attach", nth: 1 },
			{ call: "domains.setTarget", nth: 1 },
			{ call: "domains.unpause", nth: 1 },
			{ call: "domains.unpause", nth: 2 },
		];
		for (const death of deaths) {
			const what = `${death.call} ${death.nth}`;
			faults.inject({ ...death, kill: "process" });
			await expect(world.create(world.hvm("one")), what).rejects.toThrow();
			await world.daemon.kill();
			faults.assertSpent();
			await world.startDaemon();
			await world.eventually(`the half-made guest to be undone after ${what}`, async () =>
				(await world.find("one")) === undefined ? true : undefined,
			);
			expect(world.tree, what).toEqual(before);
			world.simulated.assertIdle();
		}
		await world.create(world.hvm("one"));
	});

	test("ends when xenstored is lost", async () => {
		const world = await SimWorld.start();
		const { daemon } = world;
		daemon.cutXenstore();
		await expect(daemon.ended).rejects.toMatchObject({ code: "xenstore-connection-lost" });
		await world.startDaemon();
	});
});

describe("another relay", () => {
	test.each(["stop", "kill"] as const)("goes on with consoles and QMP, after a %s", async (way) => {
		const world = await SimWorld.start();
		const guest = await world.create(world.hvm("one"));
		const serial = await world.console(guest, "serial0");
		await expectText(serial, "# ");
		world.relay[way]();
		await world.startRelay();
		serial.write("echo once\r");
		const text = await expectText(serial, "once\r\nguest");
		expect(text.match(/\bonce\r\nguest/g)).toHaveLength(1);
		await world.eventually("QMP to be back", () =>
			world.client.qmp("one", { command: "query-status", timeoutMs: 1000 }).catch(() => undefined),
		);
	});

	test.each([
		["port", "many"],
		["port", "4000"],
		["ring-ref", "-1"],
		["ring-ref", "4294967295"],
	])(
		"reads a console's %s %j, and that console alone is not served; nobody listens to it before",
		async (key, value) => {
			const world = await SimWorld.start();
			const [hostile, neighbour] = [await world.create(world.hvm("hostile")), await world.create(world.pv("pv"))];
			const serial = await world.console(hostile, "serial0");
			await expectText(serial, "# ");
			const node = `/local/domain/${hostile.stub?.domid}/device/console/3/${key}`;
			const store = XenstoreClient.over(world.simulated.xenstored.connectClient());
			onTestFinished(() => store.close());
			const before = await store.readText(node);
			await store.write(node, value);
			serial.write("echo unchanged\r");
			await expectText(serial, "unchanged\r\nguest");

			world.relay.kill();
			await world.startRelay();
			await expectText(
				await world.eventually("the neighbour's console", () => world.console(neighbour, "pv").catch(() => undefined)),
				"# ",
			);
			await world.eventually(
				"the refusal in the log",
				() => world.log.some((line) => line.includes("Cannot attach a ring again")) || undefined,
			);
			await expect(world.console(hostile, "serial0")).rejects.toMatchObject({ code: "no-such-console" });
			await store.write(node, before);
			world.relay.kill();
			await world.startRelay();
			await expectText(
				await world.eventually("the console again", () => world.console(hostile, "serial0").catch(() => undefined)),
				"unchanged",
			);
		},
	);

	test("is waited for by a create", async () => {
		const world = await SimWorld.start();
		world.relay.kill();
		const created = world.create(world.pv("one"));
		await world.startRelay();
		expect((await created).phase).toBe("running");
	});
});

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
	["the stub domain is destroyed", (world, { stub }) => world.simulated.host.destroy(stub)],
	[
		"the stub domain crashes",
		(world, { stub }) => void world.daemon.process.hypervisor.domains.shutdown(stub, "crash"),
	],
];

describe.each(ENDINGS)("when %s", (_, end) => {
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

const byDomid = (a: { domid?: number }, b: { domid?: number }): number => (a.domid ?? 0) - (b.domid ?? 0);
