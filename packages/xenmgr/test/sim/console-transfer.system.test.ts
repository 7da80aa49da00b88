import { createHash } from "node:crypto";
import { delay } from "@bulkhead/base";
import type { ConsoleSession } from "@bulkhead/console/session";
import { patternByte } from "@bulkhead/sim-host";
import { expect, test } from "vitest";
import { expectText, SimWorld } from "./sim-world.ts";

const MIB = 1024 * 1024;
const OUTPUT_BYTES = 16 * MIB;
const INPUT_BYTES = 4 * MIB;
const KILLS = 5;

test("16 MiB of output: relays that are killed in the middle lose and repeat nothing", async () => {
	const world = await SimWorld.start();
	const guest = await world.create(world.pv("one"));
	const console = await world.console(guest, "pv");
	await expectText(console, "# ");
	let received = 0;
	let firstWrong: number | undefined;
	console.on("data", (chunk: unknown) => {
		for (const byte of chunk as Buffer) {
			const place = received++ - ECHO.length;
			if (place < 0 ? byte !== ECHO.charCodeAt(received - 1) : place < OUTPUT_BYTES && byte !== patternByte(place))
				firstWrong ??= received - 1;
		}
	});
	console.write(`bytes ${OUTPUT_BYTES}\r`);
	for (let kill = 1; kill <= KILLS; kill++) {
		await until(console, () => received > (kill * OUTPUT_BYTES) / (KILLS + 1));
		world.relay.kill();
		await world.startRelay();
	}
	await until(console, () => received >= ECHO.length + OUTPUT_BYTES + PROMPT(guest.domid).length);
	expect(firstWrong).toBeUndefined();
	expect(received).toBe(ECHO.length + OUTPUT_BYTES + PROMPT(guest.domid).length);
});

test("4 MiB of input: relays that are killed in the middle lose and repeat nothing", async () => {
	const world = await SimWorld.start();
	const guest = await world.create(world.pv("one"));
	const console = await world.console(guest, "pv");
	await expectText(console, "# ");
	console.write(`sum ${INPUT_BYTES}\r`);
	await expectText(console, "ready\r\n");
	const bytes = Buffer.alloc(INPUT_BYTES);
	for (let at = 0; at < bytes.length; at++) bytes[at] = patternByte(at);
	let taken = 0;
	const writing = (async () => {
		for (; taken < bytes.length; taken += 8192)
			await new Promise<void>((resolve) => console.write(bytes.subarray(taken, taken + 8192), () => resolve()));
	})();
	let dropped = 0;
	console.on("input-dropped", (count) => {
		dropped += count;
	});
	for (let kill = 1; kill <= KILLS; kill++) {
		await until(console, () => taken > (kill * INPUT_BYTES) / (KILLS + 1));
		world.relay.kill();
		await world.startRelay();
	}
	const text = await expectText(console, PROMPT(guest.domid));
	await writing;
	expect(dropped).toBe(0);
	expect(text).toContain(createHash("sha256").update(bytes).digest("hex"));
});

const ECHO = `bytes ${OUTPUT_BYTES}\r\n`;
const PROMPT = (domid: number | undefined): string => `domain-${domid}# `;

/** The test's own timeout is the deadline. */
async function until(console: ConsoleSession, holds: () => boolean): Promise<void> {
	while (!holds()) {
		if (console.destroyed) throw new Error("The session has failed");
		await delay(1);
	}
}
