import { describe, expect, test } from "vitest";
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

	test("is waited for by a create", async () => {
		const world = await SimWorld.start();
		world.relay.kill();
		const created = world.create(world.pv("one"));
		await world.startRelay();
		expect((await created).phase).toBe("running");
	});
});

const byDomid = (a: { domid?: number }, b: { domid?: number }): number => (a.domid ?? 0) - (b.domid ?? 0);
