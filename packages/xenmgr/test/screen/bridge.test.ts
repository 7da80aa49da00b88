import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CLOSE } from "@bulkhead/web";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type ClientOptions, WebSocket, WebSocketServer } from "ws";
import { type BridgeOptions, bridge } from "../../src/screen/bridge.ts";

let directory: string;
let path: string;
let host: Server;
let hostSide: Socket | undefined;
let web: ReturnType<typeof createHttpServer>;
let bridged: Promise<void> | undefined;
let options: Partial<BridgeOptions>;

beforeEach(async () => {
	directory = await mkdtemp(join(tmpdir(), "bhbridge-"));
	path = join(directory, "screen.sock");
	hostSide = undefined;
	options = {};
	host = createServer((socket) => {
		hostSide = socket;
		socket.on("error", () => {});
	});
	await new Promise<void>((resolve) => host.listen(path, resolve));
	const sockets = new WebSocketServer({ noServer: true });
	web = createHttpServer();
	web.on("upgrade", (request, socket, head) =>
		sockets.handleUpgrade(request, socket, head, (browser) => {
			bridged = bridge(browser, { path, title: "The screen", ...options });
		}),
	);
	await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
});

afterEach(async () => {
	hostSide?.destroy();
	web.closeAllConnections();
	web.close();
	if (host.listening) host.close();
	await bridged;
	await rm(directory, { recursive: true });
});

async function openBrowser(settings?: ClientOptions): Promise<WebSocket> {
	const browser = new WebSocket(`ws://127.0.0.1:${(web.address() as AddressInfo).port}/`, settings);
	await once(browser, "open");
	return browser;
}

async function bothEnds(settings?: ClientOptions): Promise<{ browser: WebSocket; far: Socket }> {
	const accepted = once(host, "connection");
	const browser = await openBrowser(settings);
	await accepted;
	if (!hostSide) expect.fail();
	return { browser, far: hostSide };
}

test("carries bytes each way, also those that were sent before the other end was there", async () => {
	const accepted = once(host, "connection");
	const browser = await openBrowser();
	browser.send(Buffer.from("keys"));
	await accepted;
	const [typed] = await once(hostSide as Socket, "data");
	expect(String(typed)).toBe("keys");
	hostSide?.write(Buffer.from([0, 255, 128]));
	const [data, isBinary] = await once(browser, "message");
	expect([...(data as Buffer), isBinary]).toEqual([0, 255, 128, true]);
	browser.close();
	await once(hostSide as Socket, "close");
});

test("a browser that does not read makes the screen wait, and all of it arrives once it reads", async () => {
	const { browser, far } = await bothEnds();
	browser.pause();
	const total = 64 * 1024 * 1024;
	const block = Buffer.alloc(1024 * 1024, 7);
	let taken = 0;
	// Whatever the kernel and the bridge take at once; then it stays so.
	while (taken < total && far.write(block, () => {})) taken += block.length;
	for (let sent = taken; sent < total; sent += block.length) far.write(block);
	await expect.poll(() => far.bytesWritten - far.writableLength, { timeout: 5000 }).toBeGreaterThan(0);
	let held = -1;
	await expect
		.poll(
			() => {
				const now = far.writableLength;
				const isStill = now === held;
				held = now;
				return isStill;
			},
			{ interval: 100, timeout: 10_000 },
		)
		.toBe(true);
	expect(held).toBeGreaterThan(total / 2);
	let received = 0;
	browser.on("message", (data: Buffer) => {
		received += data.length;
	});
	browser.resume();
	await expect.poll(() => received, { timeout: 15_000 }).toBeGreaterThanOrEqual(total);
});

test("a browser that goes on not reading is let go", async () => {
	options = { stallMs: 50 };
	const { browser, far } = await bothEnds();
	browser.on("error", () => {});
	browser.pause();
	const gone = closed(far);
	far.write(Buffer.alloc(64 * 1024 * 1024));
	await gone;
	browser.terminate();
});

test("a screen that does not read makes the browser wait", async () => {
	const { browser, far } = await bothEnds();
	far.pause();
	const total = 32 * 1024 * 1024;
	for (let sent = 0; sent < total; sent += 65_536) browser.send(Buffer.alloc(65_536));
	let held = -1;
	await expect
		.poll(
			() => {
				const isStill = browser.bufferedAmount === held;
				held = browser.bufferedAmount;
				return isStill;
			},
			{ interval: 100, timeout: 10_000 },
		)
		.toBe(true);
	expect(held).toBeGreaterThan(total / 2);
	let received = 0;
	far.on("data", (chunk) => {
		received += chunk.length;
	});
	far.resume();
	await expect.poll(() => received, { timeout: 15_000 }).toBe(total);
	browser.close();
});

const closed = (socket: Socket): Promise<void> => new Promise((resolve) => void socket.once("close", () => resolve()));

async function closing(browser: WebSocket): Promise<[number, string]> {
	const [code, reason] = (await once(browser, "close")) as [number, Buffer];
	return [code, String(reason)];
}

test("says why it ends", async () => {
	const { browser, far } = await bothEnds();
	far.end();
	far.resume();
	expect(await closing(browser)).toEqual([CLOSE.ended, "The screen was closed by its other end"]);
	host.close();
	const nobody = await openBrowser();
	expect(await closing(nobody)).toEqual([CLOSE.notServed, "The screen is not served at the moment (ENOENT)"]);
});

test("takes no text", async () => {
	const { browser } = await bothEnds();
	browser.send("text");
	expect(await closing(browser)).toEqual([1003, "binary messages only"]);
});

test("a browser that answers no ping is gone", async () => {
	options = { pingMs: 30 };
	const answering = await openBrowser();
	let pings = 0;
	answering.on("ping", () => {
		pings++;
	});
	await expect.poll(() => pings).toBeGreaterThan(3);
	expect(answering.readyState).toBe(WebSocket.OPEN);
	const { far } = await bothEnds({ autoPong: false });
	far.resume();
	await closed(far);
	answering.terminate();
});
