import { connect, type Socket } from "node:net";
import { errnoOf } from "@bulkhead/base";
import { CLOSE } from "@bulkhead/web";
import type { RawData, WebSocket } from "ws";

/** How much may wait for a browser that does not read: above, the guest's side waits; below, it goes on. In bytes. */
const WAITING = { most: 1_048_576, least: 262_144 } as const;

export interface BridgeOptions {
	/** The unix socket. */
	path: string;
	/** What it is, for the browser's person: "The guest's screen". */
	title: string;
	/** How long the unix socket may take to accept. */
	connectMs?: number;
	/** How long a browser may not read while much waits for it. */
	stallMs?: number;
	/** Between two pings; a browser that has not answered one by the next is gone. */
	pingMs?: number;
}

/**
 * Carries bytes between a browser's WebSocket and a unix socket, unread, until one of them ends. Each side waits for the
 * other: what is kept here is bounded. Resolves when both are gone. The caller listens to the browser's errors.
 */
export async function bridge(
	browser: WebSocket,
	{ path, title, connectMs = 5000, stallMs = 30_000, pingMs = 15_000 }: BridgeOptions,
): Promise<void> {
	const host = connect({ path });
	const timers = [
		setTimeout(() => host.destroy(new Error("took too long to connect")), connectMs),
		keepAlive(browser, pingMs),
	];
	const [connecting] = timers;
	const both = Promise.all([ended(browser), ended(host)]);
	let isConnected = false;
	host.once("connect", () => {
		isConnected = true;
		clearTimeout(connecting);
	});
	let failure: Error | undefined;
	host.on("error", (error) => {
		failure = error; // "close" follows, and tells it.
	});
	host.once("close", () => {
		if (isConnected) browser.close(CLOSE.ended, `${title} was closed by its other end`);
		else browser.close(CLOSE.notServed, `${title} is not served at the moment (${errnoOf(failure) ?? "no answer"})`);
	});
	browser.once("close", () => host.destroy());
	toHost(browser, host);
	toBrowser(host, browser, stallMs);
	await both;
	for (const timer of timers) clearTimeout(timer);
}

/** Bytes of the browser's. Text is none of ours. */
function toHost(browser: WebSocket, host: Socket): void {
	browser.on("message", (data: RawData, isBinary) => {
		// One that is being closed may still send.
		if (browser.readyState !== browser.OPEN) return;
		if (!isBinary) {
			browser.close(1003, "binary messages only");
			return;
		}
		if (host.destroyed || host.write(data as Buffer)) return;
		browser.pause();
	});
	host.on("drain", () => browser.resume());
}

function toBrowser(host: Socket, browser: WebSocket, stallMs: number): void {
	let stalled: NodeJS.Timeout | undefined;
	const sent = (): void => {
		if (browser.bufferedAmount > WAITING.least) return;
		clearTimeout(stalled);
		stalled = undefined;
		host.resume();
	};
	host.on("data", (chunk) => {
		if (browser.readyState !== browser.OPEN) return;
		browser.send(chunk, { binary: true }, sent);
		if (browser.bufferedAmount <= WAITING.most) return;
		host.pause();
		stalled ??= setTimeout(() => browser.terminate(), stallMs);
	});
	browser.once("close", () => clearTimeout(stalled));
}

function keepAlive(browser: WebSocket, pingMs: number): NodeJS.Timeout {
	let answered = true;
	browser.on("pong", () => {
		answered = true;
	});
	return setInterval(() => {
		if (!answered) return browser.terminate();
		answered = false;
		if (browser.readyState === browser.OPEN) browser.ping();
	}, pingMs);
}

function ended(stream: WebSocket | Socket): Promise<void> {
	return new Promise((resolve) => void stream.once("close", () => resolve()));
}
