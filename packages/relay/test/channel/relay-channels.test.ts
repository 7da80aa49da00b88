import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { type ConnectionOptions, connect as connectTls, createServer as createTlsServer } from "node:tls";
import type { AttachChannel, AttachedChannel, ChannelDoorPlace } from "@bulkhead/api/relay";
import { domId, evtchnPort, grantRef, randomUuid } from "@bulkhead/base";
import { FakeFrontend } from "@bulkhead/console/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { RelayWorld } from "../relay-world.ts";
import { until } from "../until.ts";

const limit = { timeoutMs: 5000 };
const guest = randomUuid();
const TOKEN = "0123456789abcdef0123456789abcdef";
const pem = (name: string): string => readFileSync(new URL(`keys/${name}`, import.meta.url), "utf8");
const CA = pem("ca.pem");
const SERVER = { cert: pem("server.pem"), key: pem("server.key") };
const CLIENT = { cert: pem("client.pem"), key: pem("client.key") };
const NAME = "agents.example.org";

function request(door: ChannelDoorPlace, changes: { gref?: number; domid?: number } = {}): AttachChannel {
	const { gref = 9, domid = 3 } = changes;
	const numbers = { domid: domId(domid), devid: 1, gref: grantRef(gref), remotePort: evtchnPort(5) };
	return { guest, name: "org.example.agent.v1", ...numbers, door };
}

class ChannelWorld {
	readonly relay: RelayWorld;
	readonly frontend: FakeFrontend;
	readonly path: string;

	static async start(): Promise<ChannelWorld> {
		return new ChannelWorld(await RelayWorld.start());
	}

	private constructor(relay: RelayWorld) {
		this.relay = relay;
		this.frontend = new FakeFrontend(relay.host, { domid: 3, gref: 9, port: 5 });
		this.path = join(relay.directory, "agent.sock");
	}

	get heard(): string {
		return Buffer.from(this.frontend.received).toString();
	}

	handOver(token = TOKEN): void {
		const inbox = join(this.relay.directory, "run", "listeners.sock");
		this.relay.host.handedOver.set(`${inbox}\0${token}`, { path: this.path, mode: 0o600, uid: 0, gid: 0 });
	}

	async attach(door: ChannelDoorPlace): Promise<{ ptyPath?: string }> {
		return this.relay.client.request("attach-channel", request(door), limit);
	}

	async list(): Promise<AttachedChannel[]> {
		return (await this.relay.client.request("list", { guest }, limit)).channels;
	}
}

function said(socket: Socket): { text: string } {
	const heard = { text: "" };
	socket
		.on("error", () => {})
		.on("data", (chunk) => {
			heard.text += chunk;
		});
	onTestFinished(() => void socket.destroy());
	return heard;
}

describe("relay: channels", () => {
	it("serves a listening socket that was handed to it, once a token", async () => {
		const world = await ChannelWorld.start();
		await expect(world.attach({ kind: "listen", token: TOKEN })).rejects.toMatchObject({ code: "listener-missing" });
		world.handOver();
		await world.attach({ kind: "listen", token: TOKEN });
		const client = connect(world.path);
		const heard = said(client);
		client.write("question");
		await until("it is heard", () => world.heard === "question");
		world.frontend.write(Buffer.from("answer"));
		await until("it is answered", () => heard.text === "answer");
		const [channel] = await world.list();
		expect(channel).toMatchObject({ kind: "listen", clients: 1, fromGuest: 6, toGuest: 8, dropped: 0, devid: 1 });
		await expect(world.attach({ kind: "listen", token: TOKEN })).rejects.toMatchObject({ code: "listener-missing" });
	});

	it("another ring of the same name sends the clients of the one before away", async () => {
		const world = await ChannelWorld.start();
		world.handOver();
		await world.attach({ kind: "listen", token: TOKEN });
		const client = connect(world.path);
		said(client);
		await once(client, "connect");
		const again = new FakeFrontend(world.relay.host, { domid: 4, gref: 7, port: 5 });
		world.handOver();
		const place = { kind: "listen", token: TOKEN } as const;
		await world.relay.client.request("attach-channel", request(place, { domid: 4, gref: 7 }), limit);
		await until("it is sent away", () => client.closed);
		const next = connect(world.path);
		said(next);
		next.write("to the next");
		await until("it is heard", () => Buffer.from(again.received).toString() === "to the next");
		expect(await world.list()).toHaveLength(1);
	});

	it("a pty's path is told, and goes with the channel", async () => {
		const world = await ChannelWorld.start();
		const { ptyPath } = await world.attach({ kind: "pty" });
		expect(await world.list()).toMatchObject([{ kind: "pty", ptyPath }]);
		await world.relay.client.request("detach-channel", { guest, name: "org.example.agent.v1" }, limit);
		await world.relay.client.request("detach-channel", { guest, name: "org.example.agent.v1" }, limit);
		expect(await world.list()).toEqual([]);
		world.relay.host.devices.assertIdle();
	});

	it("a guest that breaks the ring loses the channel, and that is told", async () => {
		const world = await ChannelWorld.start();
		await world.attach({ kind: "pty" });
		world.frontend.poke("outputProduced", 0x7fff_ffff);
		await until("it is told", () => world.relay.notifications.length === 1);
		expect(world.relay.notifications).toMatchObject([
			{ name: "channel-ended", params: { guest, name: "org.example.agent.v1", domid: 3 } },
		]);
		expect(await world.list()).toEqual([]);
	});

	it("forgets a guest's channels with the guest, and lets go of all when it stops", async () => {
		const world = await ChannelWorld.start();
		await world.attach({ kind: "pty" });
		await world.relay.client.request("forget-guest", { guest }, limit);
		expect(await world.list()).toEqual([]);
		await world.attach({ kind: "pty" });
		world.relay.relay.stop();
		expect(existsSync(join(world.relay.directory, "run", "listeners.sock"))).toBe(false);
		world.relay.host.assertIdle();
		await world.relay.serve();
	});

	it.each([
		["without one, is sent away", {}, false],
		["with one gets in", CLIENT, true],
	])("listens with TLS, and a client %s", async (_, keys, admitted) => {
		const world = await ChannelWorld.start();
		world.handOver();
		await world.attach({ kind: "listen", token: TOKEN, tls: { ...SERVER, ca: CA } });
		const options: ConnectionOptions = { path: world.path, ca: CA, servername: NAME, ...keys };
		const client = connectTls(options);
		said(client);
		client.write("inside");
		if (admitted) await until("it is heard", () => world.heard === "inside");
		else {
			await until("it is sent away", () => client.closed);
			expect(world.heard).toBe("");
			expect(world.relay.logged.join()).toContain("A client was refused");
		}
	});

	it.each([
		["the right server", { ca: CA, serverName: NAME, ...CLIENT }, true],
		["a server of another name", { ca: CA, serverName: "other.example.org", ...CLIENT }, false],
		["a server that nobody vouches for", { serverName: NAME, ...CLIENT }, false],
	])("connects with TLS to %s", async (_, tls, connected) => {
		const world = await ChannelWorld.start();
		const heard: string[] = [];
		const server = createTlsServer({ ...SERVER, ca: CA, requestCert: true, rejectUnauthorized: true }, (socket) => {
			socket.on("error", () => {}).on("data", (chunk) => heard.push(String(chunk)));
		}).listen(0, "127.0.0.1");
		onTestFinished(() => void server.close());
		await once(server, "listening");
		const { port } = server.address() as AddressInfo;
		await world.attach({ kind: "connect", host: "127.0.0.1", port, tls });
		if (connected) {
			await until("it is connected", () => {
				world.frontend.write(Buffer.from("."));
				return heard.length > 0;
			});
		} else {
			await until("it is told", () => world.relay.logged.some((line) => line.includes("No connection")));
			expect(await world.list()).toMatchObject([{ clients: 0, trouble: expect.any(String) }]);
			expect(heard).toEqual([]);
		}
	});

	it("refuses keys that are none, and lets go of ring and socket", async () => {
		const world = await ChannelWorld.start();
		const bad = { cert: "no PEM", key: "no PEM" };
		world.handOver();
		await expect(world.attach({ kind: "listen", token: TOKEN, tls: bad })).rejects.toMatchObject({ code: "bad-keys" });
		const door = { kind: "connect", host: "127.0.0.1", port: 1, tls: bad } as const;
		await expect(world.attach(door)).rejects.toMatchObject({ code: "bad-keys" });
		expect(await world.list()).toEqual([]);
		world.relay.host.assertIdle();
	});

	it("goes on trying where nobody listens, and keys are in no log", async () => {
		const world = await ChannelWorld.start();
		const server = createServer().listen(0, "127.0.0.1");
		await once(server, "listening");
		const { port } = server.address() as AddressInfo;
		server.close();
		await world.attach({ kind: "connect", host: "127.0.0.1", port, tls: { ca: CA } });
		await until("it is told", () => world.relay.logged.some((line) => line.includes("No connection")));
		expect(world.relay.logged.join()).not.toContain("BEGIN");
	});
});
