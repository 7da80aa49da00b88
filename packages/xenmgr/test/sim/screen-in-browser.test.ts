import { once } from "node:events";
import { mkdir, rm } from "node:fs/promises";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { type Frame, RfbClient } from "@bulkhead/screen";
import { FakeScreen } from "@bulkhead/screen/testing";
import { CLOSE } from "@bulkhead/web";
import { describe, expect, onTestFinished, test } from "vitest";
import { createWebSocketStream, type WebSocket } from "ws";
import { dial } from "./dial-channel.ts";
import { ask, closeOf, dialStream, enter, pay, refusalOf } from "./screen-client.ts";
import { SimWorld } from "./sim-world.ts";

const LOOPBACK = { address: { host: "127.0.0.1", port: 0, isLoopback: true } };
const AGENT = "org.bulkhead.agent.v1";
const WAIT = { timeoutMs: 5000 };
const FRAME: Frame = { width: 64, height: 48, rgb: Uint8Array.from({ length: 3 * 64 * 48 }, (_, at) => at % 251) };

async function startWorld(): Promise<SimWorld> {
	return SimWorld.start({ browsers: LOOPBACK });
}

/** A screen where the relay would serve the guest's. */
async function putScreen(world: SimWorld, ref: string): Promise<FakeScreen> {
	const { socketPath } = await world.client.screen(ref);
	await mkdir(dirname(socketPath), { recursive: true });
	await rm(socketPath, { force: true });
	const screen = await FakeScreen.open({ path: socketPath, frame: FRAME });
	onTestFinished(() => screen[Symbol.asyncDispose]());
	return screen;
}

async function seeThrough(socket: WebSocket): Promise<Frame> {
	const client = await RfbClient.open(createWebSocketStream(socket), WAIT);
	return client.readFrame(WAIT);
}

describe("a guest's screen for browsers", () => {
	test("is seen by who has the URL, once; the page comes back by its next secret", async () => {
		const world = await startWorld();
		const { uuid } = await world.create(world.hvm("web"));
		const screen = await putScreen(world, "web");
		const { url, guest, expiresInSeconds } = await world.client.inviteToScreen("web");
		expect({ guest, expiresInSeconds }).toEqual({ guest: { uuid, name: "web" }, expiresInSeconds: 60 });
		expect(url).toMatch(/^http:\/\/127\.0\.0\.1:[0-9]+\/guests\/web\/screen#[A-Za-z0-9_-]{43}$/);
		const admission = await enter(url);
		expect(admission).toMatchObject({ guest: { uuid, name: "web" }, clipboard: false });
		const first = dialStream(url, admission);
		expect(Buffer.compare((await seeThrough(first)).rgb, FRAME.rgb)).toBe(0);
		// Used once: neither URL nor ticket opens anything more.
		await expect(enter(url)).rejects.toThrow("session-over");
		expect(await refusalOf(dialStream(url, admission))).toBe(403);
		// The relay goes, and comes back: so does the page.
		const gone = closeOf(first);
		screen.dropAll();
		expect(await gone).toBe(CLOSE.ended);
		const again = JSON.parse((await pay(url, admission.secret)).text);
		expect(Buffer.compare((await seeThrough(dialStream(url, again))).rgb, FRAME.rgb)).toBe(0);
	});

	test("ends with its guest, also for who has not come yet", async () => {
		const world = await startWorld();
		await world.create(world.hvm("web"));
		await putScreen(world, "web");
		const { url } = await world.client.inviteToScreen("web");
		const { url: unused } = await world.client.inviteToScreen("web");
		const admission = await enter(url);
		const socket = dialStream(url, admission);
		await seeThrough(socket);
		const gone = closeOf(socket);
		await world.client.destroy("web");
		expect(await gone).toBe(CLOSE.guestGone);
		await world.create(world.hvm("web"));
		await expect(enter(unused)).rejects.toThrow("session-over");
		expect((await pay(url, admission.secret)).status).toBe(403);
	});

	test("outlives its guest's reboot, and not the daemon", async () => {
		const world = await startWorld();
		const { domid } = await world.create(world.hvm("web"));
		await putScreen(world, "web");
		const { url } = await world.client.inviteToScreen("web");
		const admission = await enter(url);
		await seeThrough(dialStream(url, admission));
		await world.client.reboot("web");
		await world.eventually("the next domain", async () => (await world.find("web"))?.domid !== domid || undefined);
		await putScreen(world, "web");
		const again = JSON.parse((await pay(url, admission.secret)).text);
		const socket = dialStream(url, again);
		await seeThrough(socket);
		const gone = closeOf(socket);
		await world.daemon.stop();
		expect([CLOSE.stopping, 1006]).toContain(await gone);
		await world.startDaemon();
		const { url: fresh } = await world.client.inviteToScreen("web");
		await expect(pay(fresh, again.secret)).resolves.toMatchObject({ status: 403 });
	});

	test("of a guest whose relay serves none is told so, by a code", async () => {
		const world = await startWorld();
		await world.create(world.hvm("web"));
		const { socketPath } = await world.client.screen("web");
		await rm(socketPath, { force: true });
		const { url } = await world.client.inviteToScreen("web");
		expect(await closeOf(dialStream(url, await enter(url)))).toBe(CLOSE.notServed);
	});

	test("has the guest's channel beside it for clipboards, when the guest has one", async () => {
		const world = await startWorld();
		const path = join(world.directory, "agent.sock");
		await world.create(world.hvm("spoken", `channel = ['name=${AGENT},connection=socket,path=${path}']`));
		expect(await world.client.screen("spoken")).toMatchObject({ clipboardChannel: AGENT });
		(await dial(world, path)).destroy(); // The guest's end is there.
		const { url } = await world.client.inviteToScreen("spoken");
		const admission = await enter(url);
		expect(admission.clipboard).toBe(true);
		const socket = dialStream(url, admission, { stream: "clipboard" });
		await once(socket, "open");
		socket.send(Buffer.from("question"));
		let text = "";
		socket.on("message", (data: Buffer) => {
			text += data.toString();
		});
		// The simulated agent says what it hears.
		await world.eventually("its answer", () => text === "question" || undefined);
		socket.close();
		await closeOf(socket);
		const next = await dial(world, path);
		next.write("again");
		await world.eventually("another client's answer", () => next.text === "again" || undefined);
	});
});

describe("the listener for browsers", () => {
	test("has the page with its files, all of them strict, and nothing of the API", async () => {
		const world = await startWorld();
		await world.create(world.hvm("web"));
		const { url } = await world.client.inviteToScreen("web");
		const { origin } = new URL(url);
		for (const [path, type] of [
			["/guests/web/screen", "text/html; charset=utf-8"],
			["/guests/nobody/screen", "text/html; charset=utf-8"],
			["/screen/screen.js", "text/javascript; charset=utf-8"],
			["/screen/screen.css", "text/css; charset=utf-8"],
			["/screen/novnc/core/rfb.js", "text/javascript; charset=utf-8"],
			["/screen/novnc/vendor/pako/lib/zlib/inflate.js", "text/javascript; charset=utf-8"],
		] as const) {
			const { status, headers } = await ask(`${origin}${path}`);
			expect({ path, status, type: headers["content-type"] }).toEqual({ path, status: 200, type });
			expect(headers).toMatchObject({
				"cache-control": "no-store",
				"content-security-policy": expect.stringMatching(/default-src 'none'.*frame-ancestors 'none'/),
				"x-frame-options": "DENY",
				"x-content-type-options": "nosniff",
				"referrer-policy": "no-referrer",
			});
		}
		for (const path of [
			...["/", "/v1/guests", "/v1/host", "/guests", "/guests/web", "/v1/guests/web/screen", "/screen/"],
			...["/screen/..%2fpackage.json", "/screen/../package.json", "/screen/novnc/package.json", "/screen/__proto__"],
		]) {
			const { status, headers } = await ask(`${origin}${path}`);
			expect({ path, status }).toEqual({ path, status: 404 });
			expect(headers["content-security-policy"]).toBeDefined();
		}
		for (const method of ["POST", "DELETE", "PUT"])
			expect((await ask(`${origin}/v1/guests/web`, { method, headers: { origin } })).status).toBe(404);
		expect(await world.find("web")).toBeDefined();
	});

	test("answers to no other name, and to no other page", async () => {
		const world = await startWorld();
		await world.create(world.hvm("web"));
		await putScreen(world, "web");
		const { url } = await world.client.inviteToScreen("web");
		const { origin, host, port, hash } = new URL(url);
		for (const name of ["evil.example", `evil.example:${port}`, "127.0.0.1.evil.example", "[::2]", "localhost:x"])
			expect((await ask(`${origin}/guests/web/screen`, { headers: { host: name } })).status).toBeGreaterThanOrEqual(
				400,
			);
		expect((await ask(`${origin}/guests/web/screen`, { headers: { host: "localhost:9" } })).status).toBe(200);
		const secret = hash.slice(1);
		const wrongs: Record<string, string>[] = [
			{ origin: "http://evil.example" },
			{ origin: "null" },
			{ origin: `https://${host}` },
			{ origin: "http://127.0.0.1:1" },
			{ host: "evil.example", origin: "http://evil.example" },
		];
		for (const headers of wrongs) expect((await pay(url, secret, headers)).status).toBeGreaterThanOrEqual(400);
		const admission = await enter(url); // None of those has used it up.
		for (const wrong of ["http://evil.example", null])
			expect(await refusalOf(dialStream(url, admission, { origin: wrong }))).toBe(403);
		const other = { uuid: "00000000-0000-4000-8000-000000000000", name: "x" };
		expect(await refusalOf(dialStream(url, { guest: other, ticket: "x".repeat(43) }))).toBe(403);
		expect(await refusalOf(dialStream(url, admission, { stream: "qmp" }))).toBe(404);
		await seeThrough(dialStream(url, admission));
	});

	test("takes no body that is longer than a secret's, or none", async () => {
		const world = await startWorld();
		await world.create(world.hvm("web"));
		const { url } = await world.client.inviteToScreen("web");
		expect((await pay(url, "x".repeat(2000))).status).toBe(413);
		expect((await pay(url, "x".repeat(65))).status).toBe(400);
		const { origin, pathname } = new URL(url);
		for (const body of ["", "[]", "{", '{"secret":1}'])
			expect((await ask(`${origin}${pathname}/session`, { method: "POST", headers: { origin }, body })).status).toBe(
				400,
			);
		await enter(url);
	});

	test("lives through a malformed frame on a stream that the guest has not", async () => {
		const world = await startWorld();
		await world.create(world.hvm("web"));
		const { url } = await world.client.inviteToScreen("web");
		const socket = dialStream(url, await enter(url), { stream: "clipboard" });
		socket.on("error", () => {});
		const gone = closeOf(socket);
		// What a WebSocket never sends: reserved bits, opcode 15. It must arrive before the server's close is answered.
		socket.once("upgrade", ({ socket: raw }) => raw.write(Buffer.from([0xff, 0x80, 0, 0, 0, 0])));
		await gone;
		expect((await world.client.screen("web")).guest.name).toBe("web");
	});

	test("is closed with the daemon, whoever holds on to refused connections", async () => {
		const world = await startWorld();
		await world.create(world.hvm("web"));
		const { url } = await world.client.inviteToScreen("web");
		const { port } = new URL(url);
		const socket = connect({ host: "127.0.0.1", port: Number(port), allowHalfOpen: true });
		const upgrade = ["GET /nowhere HTTP/1.1", `Host: 127.0.0.1:${port}`, "Connection: Upgrade", "Upgrade: websocket"];
		socket.write(`${upgrade.join("\r\n")}\r\n\r\n`);
		const [answer] = (await once(socket, "data")) as [Buffer];
		expect(answer.toString()).toMatch(/^HTTP\/1\.1 403 /);
		socket.on("error", () => {});
		await once(socket.resume(), "end");
		const idle = connect({ host: "127.0.0.1", port: Number(port) }).on("error", () => {});
		await once(idle, "connect");
		await world.daemon.stop();
		if (!idle.closed) await once(idle.resume(), "close");
		await world.startDaemon();
	});

	test("lets a secret in at its own guest only", async () => {
		const world = await startWorld();
		await world.create(world.hvm("one"));
		await world.create(world.hvm("two"));
		const { url } = await world.client.inviteToScreen("one");
		await expect(enter(url.replace("/one/", "/two/"))).rejects.toThrow("session-over");
	});

	test("is not there unless asked for; its absence is told, and why", async () => {
		const world = await SimWorld.start();
		await world.create(world.hvm("web"));
		await world.create(world.hvm("blind", 'vga = "none"'));
		expect((await world.client.screen("web")).browserUrl).toBeUndefined();
		await expect(world.client.inviteToScreen("web")).rejects.toMatchObject({
			code: "http-not-listening",
			message: expect.stringContaining("--http-listen"),
		});
		await expect(world.client.screen("blind")).rejects.toMatchObject({ code: "no-such-screen" });
		world.browsers = { address: { host: "192.0.2.1", port: 9, isLoopback: true } };
		await world.daemon.stop();
		await world.startDaemon();
		await expect(world.client.inviteToScreen("web")).rejects.toMatchObject({
			code: "http-not-listening",
			message: expect.stringContaining("EADDRNOTAVAIL"),
		});
	});
});
