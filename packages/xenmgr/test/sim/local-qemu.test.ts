import { existsSync, readdirSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Guest } from "@bulkhead/api/client";
import { describe, expect, test } from "vitest";
import { installFakeQemu } from "./fake-qemu.ts";
import { SimWorld } from "./sim-world.ts";

const IN_DOM0 = "device_model_stubdomain_override = 0";

/** A world whose QEMU is a real process; a simulated xenstored cannot hear it, so its state is written here. */
async function start(): Promise<SimWorld> {
	const world = await SimWorld.start();
	await installFakeQemu(join(world.directory, "images", "qemu"));
	return world;
}

async function createLocal(world: SimWorld, name: string, ...lines: string[]): Promise<Guest> {
	const creating = world.create(world.hvm(name, IN_DOM0, ...lines));
	await world.eventually("QEMU to be started", () => sayRunning(world));
	return creating;
}

/** QEMU's sockets are there before it says that it runs. */
const isListening = (world: SimWorld): boolean =>
	readdirSync(join(world.directory, "qemu")).some((guest) => existsSync(join(world.directory, "qemu", guest, "qmp")));

/** Once there is a pid, as its own state node says it. */
function sayRunning(world: SimWorld): true | undefined {
	const path = Object.keys(world.tree).find((each) => each.endsWith("/image/device-model-pid"));
	const domid = path?.split("/")[3];
	if (domid === undefined || !isListening(world)) return undefined;
	world.simulated.xenstored.host.write(`/local/domain/0/device-model/${domid}/state`, "running");
	return true;
}

const isAlive = async (pid: number): Promise<boolean> =>
	(await readFile(`/proc/${pid}/stat`, "latin1").catch(() => ") Z ")).split(") ")[1]?.startsWith("Z") === false;

describe("a guest whose QEMU is a process of domain 0", () => {
	test("has no stub domain, answers by QMP, and leaves nothing when it is destroyed", async () => {
		const world = await start();
		const before = world.tree;
		const guest = await createLocal(world, "one");
		expect(guest).toMatchObject({ phase: "running", qmp: { status: "running" }, localQemu: { state: "running" } });
		expect(guest.stub).toBeUndefined();
		expect(guest.consoles).toContainEqual({ label: "serial0", kind: "serial", ptyPath: "/dev/pts/0" });
		expect(world.tree[`/local/domain/${guest.domid}/serial/0/tty`]).toBe("/dev/pts/0");
		const status = await world.client.qmp("one", { command: "query-status", timeoutMs: 1000 });
		expect(status).toMatchObject({ running: true });
		const pid = guest.localQemu?.pid ?? 0;
		expect(await isAlive(pid)).toBe(true);
		await world.client.destroy("one");
		expect(await isAlive(pid)).toBe(false);
		expect(world.tree).toEqual(before);
		expect(await readdir(join(world.directory, "qemu"))).toEqual([]);
		expect(await readdir(join(world.directory, "xen"))).toEqual([]);
	});

	test("ends when its QEMU does, unless it is to be paused", async () => {
		const world = await start();
		const first = await createLocal(world, "one");
		process.kill(first.localQemu?.pid ?? 0, "SIGKILL");
		await world.eventually("the guest to be gone", async () => (await world.find("one")) === undefined || undefined);
		const second = await createLocal(world, "two", 'on_device_model_failure = "pause"');
		process.kill(second.localQemu?.pid ?? 0, "SIGKILL");
		const paused = await world.eventually("the guest to be paused", async () => {
			const found = await world.find("two");
			return found?.phase === "paused" ? found : undefined;
		});
		expect(paused.localQemu).toMatchObject({ state: "failed", error: "QEMU ended: listening" });
	});

	test("outlives its daemon: the next one knows its QEMU and notices its death", async () => {
		const world = await start();
		const guest = await createLocal(world, "one");
		await world.daemon.kill();
		await world.startDaemon();
		await world.eventually("QMP to be there again", () =>
			world.client.qmp("one", { command: "query-status", timeoutMs: 1000 }).catch(() => undefined),
		);
		process.kill(guest.localQemu?.pid ?? 0, "SIGKILL");
		await world.eventually("the guest to be gone", async () => (await world.find("one")) === undefined || undefined);
	});

	test("is undone with its QEMU at whichever step its create fails", async () => {
		const world = await start();
		const before = world.tree;
		const config = world.hvm("one", IN_DOM0);
		for (let step = 6; step < 13; step++) {
			const creating = world.createWithFault(config, `fail:${step}`);
			let over = false;
			void creating.then(() => {
				over = true;
			});
			await world.eventually("QEMU or the end", () => sayRunning(world) || over || undefined);
			const lines = await creating;
			expect(lines.at(-1)).toMatchObject({ type: "error" });
			expect(world.tree, `step ${step}`).toEqual(before);
			expect(await readdir(join(world.directory, "qemu")), `step ${step}`).toEqual([]);
		}
	});
});
