import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import type { StubScript } from "@bulkhead/sim-host";
import { describe, expect, test } from "vitest";
import { expectText, SimWorld } from "./sim-world.ts";

const EVIL = "\u001b[2J\u001b]0;owned\u0007\u009b31m";
const never = (): Promise<never> => new Promise(() => {});
/** CD commands have ten seconds each, a flush has three; the rest is ours. */
const SOON_MS = 5000;

/** A guest of which nobody thinks ill, beside one whose QEMU lies. */
async function withNeighbour(lies: StubScript["lies"]): Promise<SimWorld> {
	const world = await SimWorld.start();
	await world.create(world.hvm("good"));
	world.simulated.stubScript = { bootMs: 0, lies };
	return world;
}

async function inTime<T>(operation: Promise<T>): Promise<T> {
	const started = performance.now();
	try {
		return await operation;
	} finally {
		expect(performance.now() - started).toBeLessThan(SOON_MS);
	}
}

async function expectNeighbourWell(world: SimWorld): Promise<void> {
	expect(await inTime(world.client.qmp("good", { command: "query-status", timeoutMs: 1000 }))).toMatchObject({
		running: true,
	});
	const serial = await world.console((await world.find("good")) as never, "serial0");
	await expectText(serial, "# ");
	expect(world.log.join("")).toMatch(/^[\n\x20-\x7e]*$/);
}

async function createDesk(world: SimWorld): Promise<string> {
	const medium = join(world.directory, "one.iso");
	await copyFile(world.images.disk, medium);
	const disks = `disk=["${world.images.disk},raw,hda,w", "vdev=hdc,devtype=cdrom,format=raw,target=${medium}"]`;
	await world.create(world.hvm("desk", disks));
	return medium;
}

describe("a guest whose QEMU lies", () => {
	test.each([
		["has no status", () => "running"],
		["has a status in escape characters", () => ({ running: true, status: EVIL })],
		["refuses to tell in escape characters", () => Promise.reject(new Error(EVIL))],
		["closes", (_: unknown, qemu: { die(): void }) => qemu.die()],
		["answers twice", (_: unknown, qemu: { send(message: unknown): void }) => qemu.send({ return: {}, id: 2 })],
	])("is not created when it %s; nothing is left", async (_, answer) => {
		const world = await withNeighbour({ "query-status": answer as () => unknown });
		const before = world.tree;
		await expect(inTime(world.create(world.hvm("bad")))).rejects.toMatchObject({
			message: expect.stringMatching(/^[\x20-\x7e]+$/) as string,
		});
		expect(world.tree).toEqual(before);
		await expectNeighbourWell(world);
	});

	test.each([
		["the drive's descriptors are no list", { "query-fdsets": () => ({ sets: EVIL }) }],
		["a descriptor has an odd number", { "query-fdsets": () => [{ "fdset-id": -1, fds: [] }] }],
		["QEMU is stopped, it says", { "query-status": () => ({ running: false, status: "paused" }) }],
		[
			"the old medium never goes, it says",
			{
				"query-fdsets": () => [{ "fdset-id": 9, fds: [{ fd: 1, opaque: "stub-devid:5632" }] }],
				"remove-fd": () => ({}),
			},
		],
		["it refuses in escape characters", { eject: () => Promise.reject(new Error(EVIL)) }],
		["it closes in the middle", { eject: (_: unknown, qemu: { die(): void }) => qemu.die() }],
		[
			"it floods with events meanwhile",
			{
				eject: (_: unknown, qemu: { emit(event: string, data: object): void }) => {
					for (let count = 0; count < 5000; count++)
						qemu.emit("DEVICE_TRAY_MOVED", { device: EVIL, id: EVIL, "tray-open": true });
					throw new Error("and refuses");
				},
			},
		],
	] as [string, NonNullable<StubScript["lies"]>][])(
		"fails to change its CD with a clear error when %s",
		async (_, lies) => {
			const armed: NonNullable<StubScript["lies"]> = {};
			const world = await withNeighbour(armed);
			// The handlers are copied when QEMU starts: it lies from the first command after its creation.
			let isArmed = false;
			for (const [command, lie] of Object.entries(lies))
				armed[command] = (args, qemu) => (isArmed ? lie(args, qemu) : honest(command));
			const medium = await createDesk(world);
			isArmed = true;
			await expect(inTime(world.client.changeMedium("desk", "hdc", { path: medium }))).rejects.toMatchObject({
				code: expect.any(String) as string,
				message: expect.stringMatching(/^[\x20-\x7e]+$/) as string,
			});
			await expectNeighbourWell(world);
		},
	);

	test("has QMP again soon after its session was lost", async () => {
		let isLost = false;
		const world = await withNeighbour({
			"query-name": (_, qemu) => {
				if (!isLost) qemu.sendRaw("no JSON\r\n");
				isLost = true;
				return {};
			},
		});
		await world.create(world.hvm("bad"));
		const ask = (): Promise<unknown> => world.client.qmp("bad", { command: "query-name", timeoutMs: 1000 });
		await expect(ask()).rejects.toMatchObject({ code: "qmp-connection-lost" });
		await world.eventually("QMP to be back", () => ask().catch(() => undefined));
		await expectNeighbourWell(world);
	});

	test("is destroyed in time though it never stops", async () => {
		const world = await withNeighbour({ stop: never });
		await world.create(world.hvm("bad"));
		await inTime(world.client.destroy("bad"));
		expect(await world.find("bad")).toBeUndefined();
		await expectNeighbourWell(world);
	});
});

/** What an honest QEMU says of a guest that runs, with nothing in its descriptor sets. */
function honest(command: string): unknown {
	if (command === "query-status") return { running: true, status: "running" };
	return command === "query-fdsets" ? [] : {};
}
