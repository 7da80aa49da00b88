import { existsSync, statSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { RelayClient, RelayError } from "@bulkhead/api/relay";
import { DeadlineError, randomUuid } from "@bulkhead/base";
import { describe, expect, it, onTestFinished } from "vitest";
import { Relay } from "../src/relay.ts";
import { RelayWorld } from "./relay-world.ts";
import { until } from "./until.ts";

const limit = { timeoutMs: 5000 };

/** Speaks to the control socket without the client's good manners. */
async function rude(path: string, bytes: string): Promise<{ lines: unknown[]; closed: boolean }> {
	const socket = connect({ path });
	let text = "";
	const seen = { lines: [] as unknown[], closed: false };
	socket.on("data", (chunk) => {
		text += chunk;
		seen.lines = text
			.split("\n")
			.slice(0, -1)
			.map((line) => JSON.parse(line) as unknown);
	});
	socket.on("error", () => {});
	socket.on("close", () => {
		seen.closed = true;
	});
	onTestFinished(() => void socket.destroy());
	socket.write(bytes);
	await until("an answer or the end", () => seen.lines.length > 0 || seen.closed);
	return seen;
}

describe("relay: control socket", () => {
	it("tells how late its event loop is", async () => {
		const { client } = await RelayWorld.start();
		const measured = client.request("loop-delay", { forMs: 150 }, limit);
		const end = performance.now() + 60;
		await new Promise(setImmediate);
		while (performance.now() < end); // Nobody has a turn meanwhile.
		const { medianMs, p99Ms, mostMs } = await measured;
		expect(medianMs).toBeLessThanOrEqual(p99Ms);
		expect(p99Ms).toBeLessThanOrEqual(mostMs);
		await expect(client.request("loop-delay", { forMs: 0 }, limit)).rejects.toMatchObject({ code: "invalid-input" });
	});

	it("says who it is", async () => {
		const { client, controlPath } = await RelayWorld.start();
		expect(await client.request("hello", {}, limit)).toEqual({
			version: "0.1.0",
			pid: process.pid,
			consoles: [],
			channels: [],
			qmps: [],
			screens: [],
		});
		expect(statSync(controlPath).mode & 0o777).toBe(0o600);
	});

	it("answers requests that it does not know or understand, and goes on", async () => {
		const { controlPath, client } = await RelayWorld.start();
		const unknown = await rude(controlPath, '{"id":7,"method":"launch"}\n');
		expect(unknown).toEqual({
			lines: [{ id: 7, error: { code: "unknown-method", message: "No such request", fields: { method: "launch" } } }],
			closed: false,
		});
		const inherited = await rude(controlPath, '{"id":8,"method":"toString"}\n');
		expect(inherited.lines).toMatchObject([{ id: 8, error: { code: "unknown-method" } }]);
		const label = "../../etc";
		const malformed = client.request("tail", { guest: randomUuid(), label, maxBytes: 1 }, limit);
		await expect(malformed).rejects.toBeInstanceOf(RelayError);
		await expect(malformed).rejects.toMatchObject({ code: "invalid-input" });
		await client.request("list", {}, limit);
	});

	for (const [what, line] of [
		["no JSON", "hello\n"],
		["no request", '{"hello":1}\n'],
		["no UTF-8", Buffer.from([0xff, 0xfe, 0x0a]).toString("latin1")],
		["a line without end", `"${"x".repeat(2 * 1024 * 1024 + 10)}`],
	] as const)
		it(`closes the connection on ${what}`, async () => {
			const { controlPath, client, logged } = await RelayWorld.start();
			const socket = connect({ path: controlPath });
			let closed = false;
			socket
				.on("error", () => {})
				.on("close", () => {
					closed = true;
				});
			socket.write(Buffer.from(line, "latin1"));
			await until("the end", () => closed);
			expect(logged.some((entry) => entry.includes("broke the protocol"))).toBe(true);
			await client.request("list", {}, limit);
		});

	it("admits root and its own user only", async () => {
		const world = await RelayWorld.start();
		world.host.devices.peer = { uid: 12345, gid: 1, pid: 1 };
		const stranger = await world.connect();
		await expect(stranger.request("hello", {}, limit)).rejects.toMatchObject({ code: "relay-lost" });
		expect(world.logged.some((line) => line.startsWith("warn: Refused a connection"))).toBe(true);
		world.host.devices.peer = { uid: 0, gid: 0, pid: 1 };
		const root = await world.connect();
		await root.request("hello", {}, limit);
		root.close();
	});

	it("is not started twice on one directory, and takes a dead one's place", async () => {
		const world = await RelayWorld.start();
		const options = {
			host: world.host,
			dialQmp: () => Promise.reject(new Error("none")),
			runDirectory: join(world.directory, "run"),
			stateDirectory: join(world.directory, "state"),
			bootId: "boot",
			log: { info: () => {}, warn: () => {}, error: () => {} },
		};
		await expect(Relay.start(options)).rejects.toMatchObject({ code: "relay-runs-already" });
		await world.client.request("hello", {}, limit);
	});

	it("removes its sockets when it stops, and tells its clients by closing", async () => {
		const world = await RelayWorld.start();
		let closed: Error | undefined | "not" = "not";
		const client = await RelayClient.connect({
			path: world.controlPath,
			timeoutMs: 1000,
			onClose: (error) => {
				closed = error;
			},
		});
		world.relay.stop();
		await until("the end", () => closed !== "not");
		expect(closed).toMatchObject({ code: "relay-lost" });
		expect(client.closed).toBe(true);
		expect(existsSync(world.controlPath) || existsSync(world.consolePath)).toBe(false);
		await expect(world.connect()).rejects.toMatchObject({ code: "relay-unreachable" });
	});

	it("gives each request its own deadline", async () => {
		let release: () => void = () => {};
		const world = await RelayWorld.start({
			dial: (_place, { signal }) =>
				new Promise((_, reject) => {
					release = () => reject(new Error("late"));
					signal.addEventListener("abort", release, { once: true });
				}),
		});
		const attach = world.client.request(
			"attach-qmp",
			{ guest: randomUuid(), domid: 1, ringRef: 1, remotePort: 1, greetingTimeoutMs: 60_000 } as never,
			{ timeoutMs: 50 },
		);
		await expect(attach).rejects.toBeInstanceOf(DeadlineError);
		await world.client.request("list", {}, limit);
	});
});
