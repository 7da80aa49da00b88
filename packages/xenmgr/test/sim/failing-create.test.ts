import { expect, test } from "vitest";
import { SimWorld } from "./sim-world.ts";

test.each(["hvm", "pv"] as const)("a create of a %s guest that fails at any step leaves nothing", async (type) => {
	const world = await SimWorld.start();
	const config = world[type]("one", ...(type === "pv" ? [`disk = ["${world.images.disk},raw,xvda,w"]`] : []));
	const before = world.tree;
	const plan = await world.client.create({
		configText: config,
		file: "test.cfg",
		baseDir: world.directory,
		overrides: [],
		paused: false,
		dryRun: true,
	});
	const steps = plan.plan ?? [];
	expect(steps.length).toBeGreaterThan(type === "hvm" ? 15 : 7);
	for (const index of steps.keys()) {
		const lines = await world.createWithFault(config, `fail:${index}`);
		const last = JSON.stringify(lines.at(-1));
		expect(last, `step ${index}`).toContain(`Injected fault after step ${index}`);
		expect(world.tree, `after step ${index}`).toEqual(before);
		world.simulated.assertIdle();
		expect(await world.client.guests()).toEqual([]);
	}
	await world.create(config);
});

test("a create in which any one of Xen's calls is refused leaves nothing", async () => {
	const world = await SimWorld.start();
	const { faults } = world.simulated.host;
	const before = world.tree;
	const counted = new Map(faults.counts);
	await world.create(world.hvm("one"));
	const made = [...faults.counts].map(([call, count]) => [call, count - (counted.get(call) ?? 0)] as const);
	await world.client.destroy("one");
	// Looking is not making: a refused look at Xen, or at a guest's end, fails other requests, too.
	const calls = made.filter(([call]) => !["domains.list", "domains.find", "domains.hostInfo"].includes(call));
	expect(calls.length).toBeGreaterThan(14);
	let failures = 0;
	for (const [call, count] of calls)
		for (let nth = 1; nth <= count; nth++) {
			faults.inject({ call, nth, errno: "ENOMEM" });
			const outcome = await world.create(world.hvm("one")).catch((error: Error) => error);
			if (outcome instanceof Error) failures++;
			else await world.client.destroy("one");
			faults.clear();
			await world.eventually(`nothing to be left after ${call} ${nth}`, () => {
				const isAsBefore = JSON.stringify(world.tree) === JSON.stringify(before);
				return (isAsBefore && world.counts.domains === 1 && world.counts.deviceModels === 0) || undefined;
			});
			expect(await world.client.guests(), `${call} ${nth}`).toEqual([]);
			world.simulated.assertIdle();
		}
	expect(failures).toBeGreaterThan(14);
});
