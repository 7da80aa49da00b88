import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { dial } from "./dial-channel.ts";
import { SimWorld } from "./sim-world.ts";

const MANY_BYTES = 16 << 20;

describe("channels on a simulated host, at length", () => {
	test("are attached and detached 200 times, and nothing is left", async () => {
		const world = await SimWorld.start();
		const path = join(world.directory, "agent.sock");
		await world.create(world.pv("pv"));
		const before = world.tree;
		let counts: typeof world.counts | undefined;
		for (let round = 0; round < 200; round++) {
			const { channel } = await world.client.attachChannel("pv", `name=c${round % 3},connection=socket,path=${path}`);
			expect(channel).toMatchObject({ devid: 1 });
			if (round % 10 === 0) {
				const client = await dial(world, path);
				client.write("x");
				await world.eventually("an answer", () => client.text === "x" || undefined);
			}
			const { forced } = await world.client.detachChannel("pv", channel.name, { force: round % 7 === 0 });
			expect(forced).toBe(round % 7 === 0);
			expect(existsSync(path)).toBe(false);
			if (round === 100) counts = world.counts;
		}
		expect(world.tree).toEqual(before);
		await world.eventually(
			"as many watches as after half of it",
			() => world.counts.watches === counts?.watches || undefined,
		);
		expect(world.counts.held).toBe(counts?.held);
		expect(await world.client.channels("pv")).toEqual([]);
	});

	test("carry 16 MiB each way with equal SHA-256", async () => {
		const world = await SimWorld.start();
		const path = join(world.directory, "agent.sock");
		await world.create(world.pv("pv", `channel = ["name=a,connection=socket,path=${path}"]`));
		const client = await dial(world, path);
		client.removeAllListeners("data");
		const back = createHash("sha256");
		let received = 0;
		client.on("data", (chunk: Buffer) => {
			back.update(chunk);
			received += chunk.length;
		});
		const bytes = randomBytes(MANY_BYTES);
		client.write(bytes);
		while (received < MANY_BYTES) {
			const before = received;
			await world.eventually("more to come back", () => received > before || received === MANY_BYTES || undefined);
		}
		expect(back.digest("hex")).toBe(createHash("sha256").update(bytes).digest("hex"));
		const [channel] = await world.client.channels("pv");
		expect(channel?.traffic).toEqual({ clients: 1, fromGuest: MANY_BYTES, toGuest: MANY_BYTES, dropped: 0 });
	});
});
