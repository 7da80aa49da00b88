import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DOM0, InvalidInputError } from "@bulkhead/base";
import { SimHost, type SimProcess } from "@bulkhead/hypervisor/sim";
import { QmpClient } from "@bulkhead/qmp";
import { FakeQemu } from "@bulkhead/qmp/testing";
import { XenstoreClient } from "@bulkhead/xenstore";
import { XenstoreServer } from "@bulkhead/xenstore/server";
import { describe, expect, it, onTestFinished } from "vitest";
import { parseProxyOptions } from "../src/proxy/options.ts";
import { serveClient } from "../src/proxy/serve-client.ts";
import { serveServer } from "../src/proxy/serve-server.ts";
import { until } from "./until.ts";

const NODES = "/test/vchan";

/** A simulated host with xenstored, and proxies in processes of domain 0. */
class ProxyWorld {
	readonly host: SimHost = new SimHost();
	readonly xenstored: XenstoreServer = new XenstoreServer({ domainExists: () => true });
	readonly directory: string = mkdtempSync(join(tmpdir(), "bhp-"));
	readonly told: string[] = [];

	constructor() {
		onTestFinished(() => {
			rmSync(this.directory, { recursive: true, force: true });
			this.host.assertIdle();
		});
	}

	path(name: string): string {
		return join(this.directory, name);
	}

	/** Runs one until it is stopped; answers how. */
	start(...argv: string[]): { process: SimProcess; ended: Promise<void>; stop: () => Promise<void> } {
		const process = this.host.startProcess("proxy");
		const store = XenstoreClient.over(this.xenstored.connectClient());
		const abort = new AbortController();
		const options = parseProxyOptions(argv);
		const serve = options.mode === "client" ? serveClient : serveServer;
		const { rings, offers } = process;
		const tell = (line: string): number => this.told.push(line);
		const ended = serve({ options, store, rings, offers: () => offers, tell, signal: abort.signal });
		ended.catch(() => {});
		const stop = async (): Promise<void> => {
			abort.abort();
			await ended.catch(() => {});
			store.close();
			process.end();
		};
		onTestFinished(stop);
		return { process, ended, stop };
	}

	/** Something to connect to behind the server. */
	async listen(name: string, onSession: (socket: Socket) => void): Promise<Set<Socket>> {
		const sockets = new Set<Socket>();
		const server = createServer((socket) => {
			sockets.add(socket);
			socket.on("error", () => {});
			socket.once("close", () => sockets.delete(socket));
			onSession(socket);
		});
		await new Promise<void>((resolve) => server.listen(this.path(name), resolve));
		onTestFinished(() => {
			for (const socket of sockets) socket.destroy();
			server.close();
		});
		return sockets;
	}

	state(path: string): string | undefined {
		return this.xenstored.host.find(path);
	}
}

/** Both proxies, back to back. */
async function backToBack(onSession: (socket: Socket) => void, ...more: string[]) {
	const world = new ProxyWorld();
	const behind = await world.listen("qemu", onSession);
	const server = world.start("--mode=server", "-s", "/test/server", ...more, "0", NODES, world.path("qemu"));
	const client = world.start("--state-path=/test/client", "-v", ...more, `${DOM0}`, NODES, world.path("front"));
	await until(
		"both proxies",
		() => world.state("/test/server") === "running" && world.state("/test/client") === "running",
	);
	return { world, behind, server, client };
}

function open(path: string): Socket {
	const socket = connect({ path });
	socket.on("error", () => {});
	return socket;
}

describe("the socket proxy", () => {
	it("carries bytes both ways, and what was said before an end", async () => {
		const { world, behind } = await backToBack((socket) => void socket.pipe(socket));
		expect(statSync(world.path("front")).mode & 0o777).toBe(0o600);
		const socket = open(world.path("front"));
		const sent = Buffer.alloc(200_000, "0123456789abcdef!");
		const chunks: Buffer[] = [];
		socket.on("data", (chunk) => chunks.push(chunk));
		socket.write(sent);
		await until("the echo", () => Buffer.concat(chunks).length === sent.length);
		expect(Buffer.concat(chunks).equals(sent)).toBe(true);
		socket.end("last words");
		await until("the session's end behind", () => behind.size === 0);
		expect(world.told.join()).toContain("Session with domain 0 ended after 200010 bytes");
	});

	it.each([[], ["--reconnect-marker=1"]])("greets each of those who come back at once %j", async (...more) => {
		const { world } = await backToBack((socket) => void new FakeQemu(socket), ...more);
		for (let round = 0; round < 50; round++) {
			const qmp = await QmpClient.open(open(world.path("front")), { greetingTimeoutMs: 5000 });
			expect(await qmp.execute("query-status")).toMatchObject({ running: true });
			expect(qmp.stats.staleMessages).toBe(0);
			qmp.close();
		}
	});

	it("serves one connection after the other", async () => {
		let sessions = 0;
		const { world } = await backToBack((socket) => void socket.write(`${++sessions}`));
		const [first, second] = [open(world.path("front")), open(world.path("front"))];
		expect(`${(await once(first, "data"))[0]}`).toBe("1");
		expect(second.bytesRead).toBe(0);
		first.destroy();
		expect(`${(await once(second, "data"))[0]}`).toBe("2");
		second.destroy();
	});

	it("ends a session when the other end does, and goes on", async () => {
		const { world, behind } = await backToBack((socket) => void socket.write("hello"));
		const socket = open(world.path("front"));
		await once(socket, "data");
		const ended = once(socket, "close");
		for (const each of behind) each.destroy();
		await ended;
		const next = open(world.path("front"));
		expect(`${(await once(next, "data"))[0]}`).toBe("hello");
		next.destroy();
	});

	it("waits for a vchan that is not there yet", async () => {
		const world = new ProxyWorld();
		await world.listen("qemu", (socket) => void socket.write("hello"));
		world.start("0", NODES, world.path("front"));
		await until("the socket", () => existsSync(world.path("front")));
		const socket = open(world.path("front"));
		const hello = once(socket, "data");
		world.start("--mode=server", "0", NODES, world.path("qemu"));
		expect(`${(await hello)[0]}`).toBe("hello");
		socket.destroy();
	});

	it("replaces a socket that a dead one has left, and refuses one that is in use", async () => {
		const { world, client } = await backToBack(() => {});
		await expect(world.start("0", NODES, world.path("front")).ended).rejects.toMatchObject({
			code: "proxy-runs-already",
		});
		client.process.end();
		await client.stop();
		expect(existsSync(world.path("front"))).toBe(false);
	});

	it("a server fails when nobody listens on its socket, and withdraws its nodes", async () => {
		const world = new ProxyWorld();
		const server = world.start("--mode=server", "0", NODES, world.path("nobody"));
		world.start("0", NODES, world.path("front"));
		await until("the nodes", () => world.state(`${NODES}/ring-ref`) !== undefined && existsSync(world.path("front")));
		open(world.path("front"));
		await expect(server.ended).rejects.toMatchObject({ code: "cannot-connect" });
		expect(world.state(`${NODES}/ring-ref`)).toBeUndefined();
	});

	it("does not take nodes of another domain for the server's", async () => {
		const world = new ProxyWorld();
		world.start("0", NODES, world.path("front"));
		const foreign = [{ domid: 5 as typeof DOM0, access: "read" } as const];
		for (const [key, value] of [
			["ring-ref", "8"],
			["event-channel", "3"],
		] as const)
			world.xenstored.host.write(`${NODES}/${key}`, value, foreign);
		await until("the socket", () => existsSync(world.path("front")));
		const socket = open(world.path("front"));
		await until("its end", () => socket.destroyed);
		expect(world.told.join()).toContain("belongs to another domain");
	});

	it("ends when the domain that serves is gone", async () => {
		const world = new ProxyWorld();
		const { ended } = world.start("7", NODES, world.path("front"));
		await ended;
		expect(world.told).toEqual(["Domain 7 is gone"]);
	});
});

describe("parseProxyOptions", () => {
	it("takes what Xen's proxy takes", () => {
		expect(parseProxyOptions(["-m", "server", "-s", "/a", "-v", "5", "data/x", "-"])).toMatchObject({
			mode: "server",
			domid: 5,
			nodePath: "data/x",
			local: "stdio",
			statePath: "/a",
			verbose: true,
		});
		expect(parseProxyOptions(["--mode=client", "--state-path=/s", "6", "/n", "/run/x"])).toMatchObject({
			mode: "client",
			local: { path: "/run/x" },
			reconnectMarker: undefined,
		});
		expect(parseProxyOptions(["0", "/n", "3"])).toMatchObject({ mode: "client", local: { fd: 3 } });
		expect(parseProxyOptions(["--reconnect-marker", "-1", "0", "/n", "-"]).reconnectMarker).toBeUndefined();
		expect(parseProxyOptions(["--reconnect-marker=1", "0", "/n", "-"]).reconnectMarker).toBe(1);
	});

	it.each([
		[["0", "/n"]],
		[["0", "/n", "-", "more"]],
		[["x", "/n", "-"]],
		[["--mode=both", "0", "/n", "-"]],
		[["--fast", "0", "/n", "-"]],
		[["--reconnect-marker=256", "0", "/n", "-"]],
	])("refuses %j", (argv) => {
		expect(() => parseProxyOptions(argv)).toThrow(InvalidInputError);
	});
});
