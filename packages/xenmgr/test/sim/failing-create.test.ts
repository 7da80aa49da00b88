import { expect, test } from "vitest";
import { SimWorld } from "./sim-world.ts";

const NIC = 'vif = ["mac=00:16:3e:01:02:03"]';

test.each(["hvm", "pv"] as const)("a create of a %s guest that fails at any step leaves nothing", async (type) => {
	const world = await SimWorld.start();
	const config = world[type]("one", NIC, ...(type === "pv" ? [`disk = ["${world.images.disk},raw,xvda,w"]`] : []));
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
		expect(world.simulated.host.links.present).toEqual(["xenbr0"]);
		expect(await world.client.guests()).toEqual([]);
	}
	await world.create(config);
});

/** Looking is not making: a refused look at Xen, or at how a guest ends, fails other requests, too. */
const LOOKS = ["domains.list", "domains.find", "domains.hostInfo", "links.find"];

/** One console for each of the guest, the stub's log, save, restore and the serial port: mapped and bound. */
const CONSOLE_CALLS = 10;

test.each([
	["bulkheadd", undefined],
	// A refused QMP channel is dialled again, and then all is well.
	["bulkhead-relay", CONSOLE_CALLS],
] as const)("a create in which any one of Xen's calls by %s is refused leaves nothing", async (process, failing) => {
	const world = await SimWorld.start();
	const { faults } = world.simulated.host;
	const before = world.tree;
	const earlier = faults.countsOf(process);
	await world.create(world.hvm("one", NIC));
	const calls = [...faults.countsOf(process)]
		.filter(([call]) => !LOOKS.includes(call))
		.flatMap(([call, count]) =>
			Array.from({ length: count - (earlier.get(call) ?? 0) }, (_, at) => ({ call, nth: at + 1 })),
		);
	await world.client.destroy("one");
	expect(calls.length).toBeGreaterThan(CONSOLE_CALLS);
	let failures = 0;
	for (const { call, nth } of calls) {
		const what = `${call} ${nth}`;
		faults.inject({ process, call, nth, errno: "ENOMEM" });
		const outcome = await world.create(world.hvm("one", NIC)).catch((error: Error) => error);
		faults.assertSpent();
		if (outcome instanceof Error) failures++;
		else await world.client.destroy("one");
		expect(world.tree, what).toEqual(before);
		expect(world.simulated.host.links.present, what).toEqual(["xenbr0"]);
		expect(await world.client.guests(), what).toEqual([]);
		world.simulated.assertIdle();
	}
	expect(failures).toBe(failing ?? calls.length);
});
