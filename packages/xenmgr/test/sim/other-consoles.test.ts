import { readdir } from "node:fs/promises";
import { evtchnPort, randomUuid } from "@bulkhead/base";
import { describe, expect, test } from "vitest";
import { OtherToolstack } from "./other-toolstack.ts";
import { expectText, SimWorld } from "./sim-world.ts";

async function worldServingAll(): Promise<{ world: SimWorld; xl: OtherToolstack }> {
	const world = await SimWorld.start();
	world.serveAllConsoles = true;
	await world.daemon.stop();
	await world.startDaemon();
	return { world, xl: await OtherToolstack.start(world) };
}

const served = (world: SimWorld, name: string): Promise<{ socketPath?: string; domid: number }> =>
	world.eventually(`the console of ${name} to be served`, async () =>
		(await world.client.otherConsoles().catch(() => [])).find((console) => console.name === name && console.socketPath),
	);

describe("consoles of other toolstacks' domains", () => {
	test("are served from the first byte to the last, and kept for who comes later", async () => {
		const { world, xl } = await worldServingAll();
		const before = world.tree;
		const guest = await xl.create("theirs");
		await served(world, "theirs");
		const console = await world.console(guest, "pv");
		await expectText(console, "# ");
		console.write("echo hello\r");
		await expectText(console, "hello\r\ndomain");
		const ended = new Promise((resolve) => console.on("ended", resolve));
		await xl.destroy(guest);
		expect(await ended).toBe("detached");
		await world.eventually("the domain to be forgotten", async () => (await world.client.otherConsoles()).length === 0);
		expect(world.tree).toEqual(before);
		world.simulated.assertIdle();

		const again = await xl.create("theirs", { uuid: guest.uuid });
		await served(world, "theirs");
		const text = await expectText(await world.console(again, "pv"), `domain-${again.domid}# `);
		expect(text).toContain(`domain-${guest.domid}# echo hello`);
		await xl.destroy(again);
	});

	test("are taken up by another daemon and another relay, and let go by one that serves only its own", async () => {
		const { world, xl } = await worldServingAll();
		const guest = await xl.create("theirs");
		const own = await world.create(world.pv("own"));
		await served(world, "theirs");
		const console = await world.console(guest, "pv");
		await expectText(console, "# ");
		await world.daemon.kill();
		await world.startDaemon();
		console.write("echo one\r");
		await expectText(console, "one\r\ndomain");
		world.relay.kill();
		await world.startRelay();
		await served(world, "theirs");
		console.write("echo two\r");
		await expectText(console, "two\r\ndomain");

		world.serveAllConsoles = false;
		const ended = new Promise((resolve) => console.on("ended", resolve));
		await world.daemon.stop();
		await world.startDaemon();
		expect(await ended).toBe("detached");
		expect(await world.client.otherConsoles()).toEqual([]);
		await expectText(await world.console(own, "pv"), "# ");
		await xl.destroy(guest);
	});

	test("are left alone when they are a QEMU's, and when nobody asked for them", async () => {
		const { world, xl } = await worldServingAll();
		const [qemus, theirs] = [await xl.create("qemus", { type: "ioemu" }), await xl.create("theirs")];
		await served(world, "theirs");
		expect((await world.client.otherConsoles()).map(({ name }) => name)).toEqual(["theirs"]);
		for (const guest of [qemus, theirs]) await xl.destroy(guest);

		const plain = await SimWorld.start();
		const other = await OtherToolstack.start(plain);
		const unserved = await other.create("theirs");
		expect(await plain.client.otherConsoles()).toEqual([]);
		await expect(plain.console(unserved, "pv")).rejects.toMatchObject({ code: "no-such-console" });
		await other.destroy(unserved);
	});

	test("are somebody else's while xenconsoled has bound them; doctor says so", async () => {
		const { world, xl } = await worldServingAll();
		const consoled = world.simulated.host.startProcess("xenconsoled");
		const guest = await xl.create("theirs", { type: "somebody's" });
		const bound = consoled.rings.evtchns.bindInterdomain(guest.domid, guest.consolePort, () => {});
		await xl.store.write(`/local/domain/${guest.domid}/console/type`, "xenconsoled");
		await world.eventually("the problem to be told", async () =>
			(await world.client.otherConsoles()).some(({ problem }) => problem !== undefined),
		);
		const checks = await world.client.doctor();
		expect(checks.find(({ name }) => name === "consoles of other toolstacks")).toMatchObject({
			ok: false,
			remedy: expect.stringContaining("Stop xenconsoled"),
		});
		bound.close();
		consoled.end();
		await xl.store.write(`/local/domain/${guest.domid}/console/type`, "xenconsoled");
		await served(world, "theirs");
		await xl.destroy(guest);
	});

	test("a port that makes no sense, or changes, concerns that domain alone", async () => {
		const { world, xl } = await worldServingAll();
		const [odd, good] = [await xl.create("odd"), await xl.create("good")];
		await served(world, "odd");
		await served(world, "good");
		for (const port of ["-1", "many", `${evtchnPort(4000)}`]) {
			await xl.store.write(`/local/domain/${odd.domid}/console/port`, port);
			await world.eventually(`port ${port} to be refused`, async () =>
				(await world.client.otherConsoles()).some(({ name, problem }) => name === "odd" && problem !== undefined),
			);
		}
		await expectText(await world.console(good, "pv"), "# ");
		await xl.store.write(`/local/domain/${odd.domid}/console/port`, odd.consolePort);
		await served(world, "odd");
		for (const guest of [odd, good]) await xl.destroy(guest);
	});

	test("of which some dozens have ended, the oldest journals go", async () => {
		const { world, xl } = await worldServingAll();
		const uuids = Array.from({ length: 67 }, () => randomUuid());
		for (const uuid of uuids) {
			const guest = await xl.create("theirs", { uuid });
			await served(world, "theirs");
			await xl.destroy(guest);
			await world.eventually("it to be gone", async () => (await world.client.otherConsoles()).length === 0);
		}
		const kept = new Set(await readdir(`${world.directory}/journals`));
		expect(uuids.map((uuid) => kept.has(uuid))).toEqual(uuids.map((_, index) => index >= 2));
	});
});
