import { describe, expect, test } from "vitest";
import { expectText, SimWorld } from "./sim-world.ts";

describe("a guest's life on a simulated host", () => {
	test("an HVM guest gets a stub domain, boots from its disk, and answers on its serial port", async () => {
		const world = await SimWorld.start();
		const before = world.tree;
		const guest = await world.create(world.hvm("one"));
		expect(guest).toMatchObject({ name: "one", phase: "running", qmp: { status: "running" } });
		expect(guest.stub).toMatchObject({ state: "running" });
		const serial = await world.console(guest, "serial0");
		await expectText(serial, "# ");
		serial.write("echo hello from dom0\r");
		await expectText(serial, "hello from dom0\r\nguest");
		const stub = await world.console(guest, "stub");
		await expectText(stub, "the device model answers");
		expect(await world.client.qmp("one", { command: "query-status", timeoutMs: 1000 })).toMatchObject({
			running: true,
		});
		await world.client.destroy("one");
		expect(world.tree).toEqual(before);
		world.simulated.assertIdle();
	});
});
