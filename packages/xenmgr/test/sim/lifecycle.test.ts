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
		const status = await world.client.qmp("one", { command: "query-status", timeoutMs: 1000 });
		expect(status).toMatchObject({ running: true });
		await world.client.destroy("one");
		expect(world.tree).toEqual(before);
		world.simulated.assertIdle();
	});

	test("QEMU in the stub domain gets the guest's arguments, its disks connected", async () => {
		const world = await SimWorld.start();
		const { domid = 0, stub } = await world.create(world.hvm("one"));
		const qemu = world.simulated.findQemu(domid as never);
		expect(qemu?.args.slice(0, 2)).toEqual(["-xen-domid", `${domid}`]);
		expect(qemu?.disks).toBe(1);
		const backend = `/local/domain/0/backend/vbd/${stub?.domid}/768`;
		expect(world.tree[`${backend}/state`]).toBe("4");
		expect(world.tree[`/local/domain/${stub?.domid}/device/vbd/768/state`]).toBe("4");
		expect(world.simulated.host.loops.attached).toEqual([`loop0 of ${world.images.disk}`]);
	});

	test("a PV guest runs, answers on its console, and powers off when it is asked to", async () => {
		const world = await SimWorld.start();
		const before = world.tree;
		const guest = await world.create(world.pv("pv", `disk = ["${world.images.disk},raw,xvda,r"]`));
		expect(guest.stub).toBeUndefined();
		const console = await world.console(guest, "pv");
		const text = await expectText(console, "# ");
		expect(text).toContain("disks: 51712");
		const { ended } = await world.client.shutdown("pv", { wait: true, timeoutMs: 5000, force: false });
		expect(ended).toBe("poweroff");
		expect(await world.find("pv")).toBeUndefined();
		expect(world.tree).toEqual(before);
	});

	test("a guest without a disk to boot from says so", async () => {
		const world = await SimWorld.start();
		const guest = await world.create('name="bare"\ntype="hvm"\nmemory=64\nvideoram=8\nserial="pty"');
		await expectText(await world.console(guest, "serial0"), "No bootable device.");
	});

	test("a guest that is created paused runs when it is unpaused", async () => {
		const world = await SimWorld.start();
		const guest = await world.create(world.pv("late"), { paused: true });
		expect(guest.phase).toBe("paused");
		expect((await world.client.unpause("late")).phase).toBe("running");
		await expectText(await world.console(guest, "pv"), "# ");
	});

	test.each(["hvm", "pv"] as const)("a %s guest that reboots is made anew, with its uuid", async (type) => {
		const world = await SimWorld.start();
		const first = await world.create(world[type]("again"));
		const console = await world.console(first, type === "hvm" ? "serial0" : "pv");
		await expectText(console, "# ");
		console.write("reboot\r");
		const second = await world.eventually("the guest to be back", async () => {
			const found = await world.find("again");
			return found?.phase === "running" && found.domid !== first.domid ? found : undefined;
		});
		expect(second.uuid).toBe(first.uuid);
		expect(second.lastEnd?.reason).toBe("reboot");
	});

	test("an HVM guest has its power button pressed over QMP", async () => {
		const world = await SimWorld.start();
		await world.create(world.hvm("button"));
		const { asked, ended } = await world.client.shutdown("button", { wait: true, timeoutMs: 5000, force: false });
		expect({ asked, ended }).toEqual({ asked: "qmp", ended: "poweroff" });
	});

	const ENDINGS = [
		["poweroff", "on_poweroff", "preserve", "shutdown"],
		["reboot", "on_reboot", "preserve", "shutdown"],
		["crash", "on_crash", "preserve", "crashed"],
	] as const;
	test.each(ENDINGS)("a guest that ends by %s is kept with %s=%s", async (command, key, action, phase) => {
		const world = await SimWorld.start();
		const guest = await world.create(world.pv("kept", `${key}="${action}"`));
		const console = await world.console(guest, "pv");
		await expectText(console, "# ");
		console.write(`${command}\r`);
		const kept = await world.eventually("the guest to be kept", async () => {
			const found = await world.find("kept");
			return found?.phase === phase ? found : undefined;
		});
		expect(kept.domid).toBe(guest.domid);
	});

	test.each([
		["poweroff", "restart"],
		["crash", "restart"],
	] as const)("a guest that ends by %s is started again with the action %s", async (command, action) => {
		const world = await SimWorld.start();
		const guest = await world.create(world.hvm("back", `on_${command}="${action}"`));
		const serial = await world.console(guest, "serial0");
		await expectText(serial, "# ");
		serial.write(`${command}\r`);
		await world.eventually("the guest to be back", async () => {
			const found = await world.find("back");
			return (found?.phase === "running" && found.domid !== guest.domid) || undefined;
		});
	});

	test("a guest that crashes is over, and nothing of it is left", async () => {
		const world = await SimWorld.start();
		const before = world.tree;
		const guest = await world.create(world.hvm("gone", 'on_crash="destroy"'));
		const serial = await world.console(guest, "serial0");
		await expectText(serial, "# ");
		serial.write("crash\r");
		await world.eventually("the guest to be gone", async () => (await world.find("gone")) === undefined || undefined);
		expect(world.tree).toEqual(before);
		world.simulated.assertIdle();
	});

	test("a guest that is destroyed from outside is noticed", async () => {
		const world = await SimWorld.start();
		const before = world.tree;
		const { domid = 0 } = await world.create(world.pv("gone"));
		world.simulated.host.destroy(domid as never);
		await world.eventually("the guest to be gone", async () => (await world.find("gone")) === undefined || undefined);
		expect(world.tree).toEqual(before);
	});

	test("more memory than the host has is refused before anything is made", async () => {
		const world = await SimWorld.start({ memoryKiB: 1152 * 1024 });
		const created = world.create(world.hvm("big"));
		await expect(created).rejects.toMatchObject({ code: "not-enough-memory" });
		expect(world.simulated.host.faults.count("domains.create")).toBe(0);
	});

	test("many guests are made and taken away side by side", async () => {
		const world = await SimWorld.start();
		const before = world.tree;
		const names = Array.from({ length: 12 }, (_, index) => `guest-${index}`);
		await Promise.all(names.map((name, index) => world.create(index % 2 ? world.hvm(name) : world.pv(name))));
		expect((await world.client.guests()).map(({ phase }) => phase)).toEqual(names.map(() => "running"));
		await Promise.all(names.map((name) => world.client.destroy(name)));
		expect(world.tree).toEqual(before);
		world.simulated.assertIdle();
	});
});
