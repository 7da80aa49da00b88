import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { BulkheadError, DOM0, delay, grantRef } from "@bulkhead/base";
import { HypervisorError, type RingHost } from "@bulkhead/hypervisor";
import { openRingHost } from "@bulkhead/hypervisor/native";
import { QmpClient } from "@bulkhead/qmp";
import { executeTyped } from "@bulkhead/qmp/commands";
import { openVchanClient, type VchanClient } from "@bulkhead/vchan";
import { collect, sha256 } from "./collect.ts";
import type { Row } from "./rows.ts";
import { VchanPeer } from "./vchan-peer.ts";
import { STEP_MS, soon, untilExists } from "./waits.ts";

const QEMU = "/usr/libexec/xen-qemu-system-i386";

type Body = (peer: VchanPeer, host: RingHost) => Promise<Record<string, unknown> | undefined>;

const echo = (socket: Socket): void => void socket.pipe(socket);

const BODIES: Record<string, Body> = {
	"a MiB each way comes out as it went in": async (peer, host) => {
		await peer.listen(echo);
		await peer.start();
		const client = await peer.openSession(host);
		const sent = randomBytes(1024 * 1024);
		const started = performance.now();
		const received = await soon("the echo", roundTrip(client, sent));
		const ms = performance.now() - started;
		assert.equal(sha256(received), sha256(sent));
		const { events } = client.stats;
		await client.close();
		return { kibPerSecondEachWay: Math.round((1024 * 1000) / ms), events };
	},
	"small messages go to and fro": async (peer, host) => {
		await peer.listen(echo);
		await peer.start();
		const client = await peer.openSession(host);
		const count = 200;
		const started = performance.now();
		for (let index = 0; index < count; index++) {
			client.write(`message ${index}\n`);
			const [chunk] = (await soon("the echo", once(client, "data"))) as [Buffer];
			assert.equal(chunk.toString(), `message ${index}\n`);
		}
		const msEach = (performance.now() - started) / count;
		await client.close();
		return { msEach: Math.round(msEach * 1000) / 1000 };
	},
	"a server that does not read holds the writer back": async (peer, host) => {
		const { promise: session, resolve } = withResolvers<Socket>();
		await peer.listen((socket) => {
			socket.pause();
			resolve(socket);
		});
		await peer.start();
		const client = await peer.openSession(host);
		const sent = randomBytes(4 * 1024 * 1024);
		const written = new Promise((done) => client.write(sent, done));
		const socket = await soon("the session", session);
		await soon(
			"the ring to fill",
			stable(() => client.stats.bytesWritten),
		);
		assert.ok(client.stats.bytesWritten < sent.length, `${client.stats.bytesWritten} bytes were taken`);
		const received = collect(socket, sent.length);
		assert.equal(sha256(await soon("the rest", received)), sha256(sent));
		await soon("the write's end", written);
		await client.close();
		return undefined;
	},
	"a reader that does not read holds the server back": async (peer, host) => {
		const sent = randomBytes(2 * 1024 * 1024);
		await peer.listen((socket) => socket.write(sent));
		await peer.start();
		const client = await peer.openSession(host);
		await soon("the first bytes", once(client, "readable"));
		await soon(
			"the ring to fill",
			stable(() => client.stats.bytesRead),
		);
		assert.ok(client.stats.bytesRead < 100_000, `${client.stats.bytesRead} bytes were taken`);
		assert.equal(sha256(await soon("the rest", collect(client, sent.length))), sha256(sent));
		await client.close();
		return undefined;
	},
	"one session follows another": async (peer, host) => {
		const ends: Promise<unknown>[] = [];
		await peer.listen((socket) => {
			ends.push(once(socket, "close"));
			socket.pipe(socket);
		});
		await peer.start();
		for (let session = 0; session < 5; session++) {
			const client = await peer.openSession(host);
			const sent = Buffer.from(`session ${session}`);
			assert.equal((await soon("the echo", roundTrip(client, sent))).toString(), `session ${session}`);
			await client.close();
			// The server's end tells that it has noticed: a client that came earlier would continue the old session.
			await soon("the server to notice", ends[session] ?? Promise.reject(new Error("no session")));
		}
		assert.equal(ends.length, 5);
		return undefined;
	},
	"a server that is killed ends the stream, after its last words": async (peer, host) => {
		await peer.listen((socket) => socket.write("last words"));
		await peer.start();
		const client = await peer.openSession(host);
		await soon("the words", once(client, "readable"));
		await peer.kill();
		const chunks = (await soon("the end", client.toArray())) as Buffer[];
		assert.equal(Buffer.concat(chunks).toString(), "last words");
		assert.equal(client.isPeerOpen, false);
		return undefined;
	},
	"a client that is killed ends the server's session": async (peer) => {
		const { promise: session, resolve } = withResolvers<Socket>();
		await peer.listen((socket) => {
			resolve(socket);
			socket.resume();
		});
		await peer.start();
		const victim = spawn(process.execPath, [process.argv[1] ?? "", "victim"], {
			stdio: ["ignore", "ignore", "inherit"],
			env: { ...process.env, VCHAN_PEER: `${process.pid}` },
		});
		try {
			const socket = await soon("the victim's session", session);
			const ended = once(socket, "end");
			victim.kill("SIGKILL");
			await soon("the server to notice", ended);
		} finally {
			victim.kill("SIGKILL");
		}
		return undefined;
	},
	"QEMU's monitor answers over it": async (peer, host) => {
		const qemu = await startQemu(peer.socketPath);
		try {
			await peer.start();
			const qmp = await QmpClient.open(await peer.open(host), { greetingTimeoutMs: STEP_MS });
			const { qemu: version } = await executeTyped(qmp, "query-version");
			assert.deepEqual(version, {
				major: qmp.version.major,
				minor: qmp.version.minor,
				micro: qmp.version.micro,
			});
			assert.equal((await executeTyped(qmp, "query-status")).status, "prelaunch");
			const [commands, block] = await Promise.all([
				executeTyped(qmp, "query-commands"),
				executeTyped(qmp, "query-block"),
			]);
			assert.ok(commands.some(({ name }) => name === "xen-save-devices-state"));
			assert.deepEqual(block, []);
			const schema = await qmp.execute("query-qmp-schema", {}, { timeoutMs: STEP_MS });
			assert.ok(Array.isArray(schema) && schema.length > 500);
			await assert.rejects(qmp.execute("no-such-command"), { code: "qmp-refused", errorClass: "CommandNotFound" });
			const events = qmp.events()[Symbol.asyncIterator]();
			await executeTyped(qmp, "cont");
			assert.equal((await soon("the event", events.next())).value.event, "RESUME");
			await executeTyped(qmp, "stop");
			assert.equal((await soon("the event", events.next())).value.event, "STOP");
			const started = performance.now();
			for (let count = 0; count < 50; count++) await executeTyped(qmp, "query-status");
			const msEach = (performance.now() - started) / 50;
			const closed = new Promise((resolve) => qmp.onClose(resolve));
			await executeTyped(qmp, "quit");
			await soon("the session's end", closed);
			return { version, msEach: Math.round(msEach * 100) / 100, schemaBytes: JSON.stringify(schema).length };
		} finally {
			qemu.kill("SIGKILL");
		}
	},
	"a grant that is not there is refused and leaves nothing behind": async (_, host) => {
		const before = await ownMappings();
		const offered = host.evtchns.bindUnbound(DOM0, () => {});
		try {
			for (let attempt = 0; attempt < 20; attempt++)
				assert.throws(
					() =>
						openVchanClient({
							grants: host.grants,
							evtchns: host.evtchns,
							domid: DOM0,
							ringRef: grantRef(0x7fff_fff0),
							remotePort: offered.port,
						}),
					HypervisorError,
				);
		} finally {
			offered.close();
		}
		assert.equal(await ownMappings(), before);
		return undefined;
	},
};

export function vchanRows(): Row[] {
	return Object.entries(BODIES).map(([name, body]) => ({ name, run: () => withPeer(body) }));
}

/** Connects, says so by a byte, and waits to be killed. */
export async function runVictim(): Promise<void> {
	const peer = await VchanPeer.prepare(Number(process.env.VCHAN_PEER));
	const client = await peer.open(openRingHost());
	client.write("!");
	client.resume();
}

async function withPeer(body: Body): Promise<Record<string, unknown> | undefined> {
	const before = await ownMappings();
	const peer = await VchanPeer.prepare();
	const host = openRingHost();
	try {
		const figures = await body(peer, host);
		assert.equal(await ownMappings(), before, "grants are still mapped");
		return figures;
	} catch (cause) {
		throw new BulkheadError("row-failed", String(cause), { cause, fields: peer.describe() });
	} finally {
		host.close();
		await peer.close();
	}
}

/** Mappings of grants in this process. */
async function ownMappings(): Promise<number> {
	const maps = await readFile("/proc/self/maps", "utf8");
	return maps.split("\n").filter((line) => line.includes("gntdev")).length;
}

async function roundTrip(client: VchanClient, sent: Buffer): Promise<Buffer> {
	const received = collect(client, sent.length);
	client.write(sent);
	return received;
}

/** Resolves when a counter has stood still for a while: nothing else tells that a ring is full. */
async function stable(counter: () => number): Promise<void> {
	for (let last = -1; last !== counter(); ) {
		last = counter();
		await delay(300);
	}
}

async function startQemu(socketPath: string): Promise<ChildProcess> {
	const args = [
		"-M",
		"none",
		"-accel",
		"qtest",
		"-nodefaults",
		"-display",
		"none",
		"-S",
		"-qmp",
		`unix:${socketPath},server=on,wait=off`,
	];
	const qemu = spawn(QEMU, args, { stdio: ["ignore", "ignore", "inherit"] });
	const ended = once(qemu, "exit").then(() => Promise.reject(new Error("QEMU does not listen")));
	ended.catch(() => {}); // later on that is as it should be
	try {
		await Promise.race([untilExists(socketPath), ended]);
	} catch (error) {
		qemu.kill("SIGKILL");
		throw error;
	}
	return qemu;
}

function withResolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
	let resolve: (value: T) => void = () => {};
	const promise = new Promise<T>((settle) => {
		resolve = settle;
	});
	return { promise, resolve };
}
