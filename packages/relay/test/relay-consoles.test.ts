import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import type { AttachConsole } from "@bulkhead/api/relay";
import { domId, evtchnPort, grantRef, randomUuid } from "@bulkhead/base";
import { ConsoleSession } from "@bulkhead/console";
import { FakeFrontend } from "@bulkhead/console/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { RelayWorld } from "./relay-world.ts";
import { until } from "./until.ts";

const limit = { timeoutMs: 5000 };
const guest = randomUuid();

function request(
	changes: Partial<{ domid: number; gref: number; remotePort: number; pty: boolean }> = {},
): AttachConsole {
	const { domid = 3, gref = 9, remotePort = 5, pty = false } = changes;
	return {
		guest,
		label: "serial0",
		domid: domId(domid),
		index: 3,
		gref: grantRef(gref),
		remotePort: evtchnPort(remotePort),
		pty,
	};
}

describe("relay: consoles", () => {
	it("serves a ring on a raw socket, a framed one and a pty", async () => {
		const { host, client, consolePath, directory } = await RelayWorld.start();
		const frontend = new FakeFrontend(host, { domid: 3, gref: 9, port: 5 });
		const paths = await client.request("attach-console", request({ pty: true }), limit);
		expect(paths.socketPath).toBe(join(directory, "run", "guests", guest, "serial0.sock"));
		expect(paths.journalPath).toBe(join(directory, "state", guest, "serial0.log"));
		expect(statSync(paths.socketPath).mode & 0o777).toBe(0o600);
		expect(statSync(consolePath).mode & 0o777).toBe(0o600);
		const raw: Uint8Array[] = [];
		const socket = connect({ path: paths.socketPath }).on("data", (chunk) => raw.push(chunk));
		onTestFinished(() => void socket.destroy());
		const session = await ConsoleSession.open({ socketPath: consolePath, guest, console: "serial0", input: false });
		onTestFinished(() => void session.destroy());
		const slave = host.devices.openSlave(paths.ptyPath ?? "");
		await expect.poll(async () => (await client.request("list", {}, limit)).consoles[0]?.readers).toBe(3);
		frontend.write(Buffer.from("hello"));
		await until("raw", () => Buffer.concat(raw).toString() === "hello");
		await until("framed", () => session.read()?.toString() === "hello");
		await until("pty", () => Buffer.from(slave.read()).toString() === "hello");
		expect(readFileSync(paths.journalPath, "utf8")).toBe("hello");
		socket.write("ls\n");
		await until("input", () => Buffer.from(frontend.received).toString() === "ls\n");
		slave.close();
		const [described] = (await client.request("hello", {}, limit)).consoles;
		expect(described).toMatchObject({ ...request({ pty: true }), ...paths, outputBytes: 5, blocked: false });
	});

	it("answers what exists when asked for the same again, and replaces what differs", async () => {
		const { host, client, consolePath } = await RelayWorld.start();
		const frontend = new FakeFrontend(host, { domid: 3, gref: 9, port: 5 });
		const first = await client.request("attach-console", request(), limit);
		expect(await client.request("attach-console", request(), limit)).toEqual(first);
		const session = await ConsoleSession.open({ socketPath: consolePath, guest, console: "serial0" });
		onTestFinished(() => void session.destroy());
		let output = "";
		session.on("data", (chunk) => {
			output += String(chunk);
		});
		frontend.write(Buffer.from("before|"));
		const next = new FakeFrontend(host, { domid: 4, gref: 9, port: 5 });
		expect(await client.request("attach-console", request({ domid: 4 }), limit)).toEqual(first);
		next.write(Buffer.from("after"));
		await until("both rings' output", () => output === "before|after");
		session.write("x");
		await until("input into the new ring", () => Buffer.from(next.received).toString() === "x");
		expect((await client.request("list", {}, limit)).consoles).toHaveLength(1);
		expect((await client.request("list", { guest }, limit)).consoles).toHaveLength(1);
		expect((await client.request("list", { guest: randomUuid() }, limit)).consoles).toEqual([]);
	});

	it("goes on where the last relay was", async () => {
		const world = await RelayWorld.start();
		const frontend = new FakeFrontend(world.host, { domid: 3, gref: 9, port: 5, startAt: 0xffff_fff0 });
		await world.client.request("attach-console", request(), limit);
		const session = await ConsoleSession.open({ socketPath: world.consolePath, guest, console: "serial0" });
		onTestFinished(() => void session.destroy());
		let output = "";
		session.on("data", (chunk) => {
			output += String(chunk);
		});
		frontend.write(Buffer.from("one "));
		await until("output", () => output === "one ");
		await world.restart();
		expect((await world.client.request("hello", {}, limit)).consoles).toEqual([]);
		frontend.write(Buffer.alloc(5000, "z"));
		session.write("typed meanwhile");
		await world.client.request("attach-console", request(), limit);
		await until("the rest", () => output.length === 5004);
		await until("input", () => Buffer.from(frontend.received).toString() === "typed meanwhile");
		expect(output).toBe(`one ${"z".repeat(5000)}`);
	});

	it("keeps the journal when detached, and removes it when purged", async () => {
		const { host, client, directory } = await RelayWorld.start();
		const frontend = new FakeFrontend(host, { domid: 3, gref: 9, port: 5 });
		await client.request("attach-console", request(), limit);
		frontend.write(Buffer.from("last words"));
		const name = { guest, label: "serial0" };
		await client.request("detach-console", { ...name, purge: false }, limit);
		host.assertIdle();
		const { base64, offset } = await client.request("tail", { ...name, maxBytes: 5 }, limit);
		expect([Buffer.from(base64, "base64").toString(), offset]).toEqual(["words", 5]);
		await client.request("detach-console", { ...name, purge: false }, limit);
		await client.request("detach-console", { ...name, purge: true }, limit);
		expect(existsSync(join(directory, "state", guest))).toBe(false);
		expect(await client.request("tail", { ...name, maxBytes: 5 }, limit)).toEqual({ base64: "", offset: 0 });
	});

	it("does not take a new ring for the old one after a detach", async () => {
		const { host, client } = await RelayWorld.start();
		const frontend = new FakeFrontend(host, { domid: 3, gref: 9, port: 5 });
		await client.request("attach-console", request(), limit);
		frontend.write(Buffer.from("12345"));
		await client.request("detach-console", { guest, label: "serial0", purge: false }, limit);
		const again = new FakeFrontend(host, { domid: 3, gref: 9, port: 5 });
		again.write(Buffer.from("abcdefgh"));
		await client.request("attach-console", request(), limit);
		const { base64 } = await client.request("tail", { guest, label: "serial0", maxBytes: 100 }, limit);
		await expect
			.poll(async () => (await client.request("tail", { guest, label: "serial0", maxBytes: 100 }, limit)).base64)
			.toBe(Buffer.from("12345abcdefgh").toString("base64"));
		expect(Buffer.from(base64, "base64").toString()).toMatch(/^12345/);
	});

	it("forgets a guest, twice if need be", async () => {
		const { host, client, directory } = await RelayWorld.start();
		for (const [label, gref] of [
			["serial0", 9],
			["stub", 10],
		] as const) {
			new FakeFrontend(host, { domid: 3, gref, port: gref });
			await client.request("attach-console", { ...request({ gref, remotePort: gref }), label }, limit);
		}
		await client.request("forget-guest", { guest }, limit);
		await client.request("forget-guest", { guest }, limit);
		host.assertIdle();
		expect(readdirSync(join(directory, "state"))).toEqual([]);
		expect(readdirSync(join(directory, "run", "guests"))).toEqual([]);
		expect((await client.request("list", {}, limit)).consoles).toEqual([]);
	});

	it("tells when a guest broke its ring, and serves the next one", async () => {
		const { host, client, notifications, logged } = await RelayWorld.start();
		const frontend = new FakeFrontend(host, { domid: 3, gref: 9, port: 5 });
		await client.request("attach-console", request(), limit);
		frontend.poke("outputProduced", 0x7fff_ffff);
		await until("the notification", () => notifications.length === 1);
		expect(notifications[0]).toEqual({
			name: "console-ended",
			params: { guest, label: "serial0", domid: 3, reason: "Console output ring claims to hold 2147483647 bytes" },
		});
		expect(logged.some((line) => line.startsWith("warn: Gave a console's ring up"))).toBe(true);
		host.assertIdle();
		new FakeFrontend(host, { domid: 3, gref: 9, port: 5 });
		await client.request("attach-console", request(), limit);
	});

	it("says what is wrong with a ring that cannot be mapped, and holds nothing", async () => {
		const { client, host } = await RelayWorld.start();
		await expect(client.request("attach-console", request(), limit)).rejects.toMatchObject({
			code: "hypervisor-refused",
			fields: { errno: "EINVAL" },
		});
		host.assertIdle();
		expect((await client.request("list", {}, limit)).consoles).toEqual([]);
	});
});
