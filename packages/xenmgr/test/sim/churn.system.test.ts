import { readdirSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { SimWorld } from "./sim-world.ts";

const GUESTS = 1000;
/** Every tenth has a stub domain. */
const HVM_EVERY = 10;
const AT_ONCE = 8;
const WARM_UP = 40;
/** What the heap may grow by in the second half, when all code has long been compiled: 1 KiB a guest would be a leak. */
const NOISE_BYTES = (GUESTS / 2) * 1024;

test(`${GUESTS} guests are created and destroyed, and nothing of them stays`, async () => {
	const world = await SimWorld.start({ memoryKiB: 64 * 1024 * 1024 });
	const before = world.tree;
	const makeAndTake = async (index: number): Promise<void> => {
		const name = `guest-${index}`;
		await world.create(index % HVM_EVERY === 0 ? world.hvm(name) : world.pv(name));
		await world.client.destroy(name);
	};
	const many = async (count: number): Promise<void> => {
		let next = 0;
		const work = async (): Promise<void> => {
			while (next < count) await makeAndTake(next++);
		};
		await Promise.all(Array.from({ length: AT_ONCE }, work));
	};
	await many(WARM_UP);
	const counts = world.counts;
	const descriptors = countDescriptors();
	await many(GUESTS / 2);
	const heap = await heapAfterCollection();
	await many(GUESTS / 2);
	world.log.length = 0;
	expect(world.tree).toEqual(before);
	expect(world.counts).toEqual(counts);
	world.simulated.assertIdle();
	expect(await world.client.guests()).toEqual([]);
	await world.eventually("descriptors to be closed", () => countDescriptors() <= descriptors || undefined);
	expect(world.simulated.host.freeKiB).toBe(63 * 1024 * 1024);
	expect((await heapAfterCollection()) - heap).toBeLessThan(NOISE_BYTES);
}, 240_000);

function countDescriptors(): number {
	return readdirSync("/proc/self/fd").length;
}

/** What finalizers and closing handles hold goes some turns of the event loop after they are called: the least of five. */
async function heapAfterCollection(): Promise<number> {
	setFlagsFromString("--expose-gc");
	// Of another context: this one was made without it.
	const collect = runInNewContext("gc") as () => void;
	let least = Number.POSITIVE_INFINITY;
	for (let turn = 0; turn < 5; turn++) {
		await setImmediate();
		collect();
		least = Math.min(least, process.memoryUsage().heapUsed);
	}
	return least;
}
