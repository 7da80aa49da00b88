import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { CallingDoor } from "../../src/channel/calling-door.ts";
import { ListeningDoor } from "../../src/channel/listening-door.ts";
import { PtyDoor } from "../../src/channel/pty-door.ts";
import { until } from "../until.ts";
import { ChannelWorld } from "./channel-world.ts";

async function client(path: string): Promise<Socket & { text: string }> {
	const socket = Object.assign(connect(path), { text: "" });
	socket.on("data", (chunk) => {
		socket.text += chunk;
	});
	socket.on("error", () => {});
	await once(socket, "connect");
	onTestFinished(() => void socket.destroy());
	return socket;
}

describe("a channel's listening socket", () => {
	async function listening(): Promise<ChannelWorld & { door: ListeningDoor }> {
		const world = new ChannelWorld();
		const server = createServer().listen(world.path);
		await once(server, "listening");
		const door = new ListeningDoor(server, world.ring, "connection");
		onTestFinished(() => door.close());
		return Object.assign(world, { door });
	}

	it("serves one client at a time, the next when the one before is gone", async () => {
		const { path, ring, frontend, door } = await listening();
		const first = await client(path);
		await until("the first is served", () => ring.isTaken);
		const second = await client(path);
		second.write("from the second");
		await until("the second waits", () => door.clients === 2);
		first.write("from the first, ");
		frontend.write(Buffer.from("to the first"));
		await until("the first hears", () => first.text === "to the first");
		first.end();
		await until("both are heard", () => Buffer.from(frontend.received).toString().endsWith("the second"));
		expect(Buffer.from(frontend.received).toString()).toBe("from the first, from the second");
		frontend.write(Buffer.from("to the second"));
		await until("the second hears", () => second.text === "to the second");
		expect(door.clients).toBe(1);
	});

	it("lets eight wait and sends others away", async () => {
		const { path, door } = await listening();
		const clients: (Socket & { text: string })[] = [];
		for (let index = 0; index < 9; index++) clients.push(await client(path));
		await until("nine are there", () => door.clients === 9);
		const tenth = await client(path);
		if (!tenth.closed) await once(tenth, "close");
		expect(door.clients).toBe(9);
	});

	it("holds the guest back while its client does not read", async () => {
		const { path, frontend, ring } = await listening();
		const reader = await client(path);
		await until("it is served", () => ring.isTaken);
		reader.pause();
		frontend.write(Buffer.alloc(2 << 20, "x"));
		let before = -1;
		await until("nothing moves", () => {
			const isStill = ring.counts.fromGuest === before && frontend.pending === 2048;
			before = ring.counts.fromGuest;
			return isStill;
		});
		expect(before).toBeLessThan(1 << 20);
		reader.resume();
		await until("all has come", () => reader.text.length === 2 << 20);
	});

	it("sends its clients away when it is closed", async () => {
		const { path, door } = await listening();
		const one = await client(path);
		await until("it is there", () => door.clients === 1);
		door.close();
		if (!one.closed) await once(one, "close");
	});
});

describe("a channel that connects by itself", () => {
	it("connects again when it is cut off, and says so once", async () => {
		const { ring, frontend } = new ChannelWorld();
		const accepted: Socket[] = [];
		const server = createServer((socket) => accepted.push(socket.on("error", () => {})));
		server.listen(0, "127.0.0.1");
		await once(server, "listening");
		const { port } = server.address() as AddressInfo;
		const troubles: unknown[] = [];
		const door = new CallingDoor(ring, {
			dial: () => ({ socket: connect(port, "127.0.0.1"), ready: "connect" }),
			onTrouble: (error) => troubles.push(error),
			retryMs: { first: 1, longest: 20 },
		});
		onTestFinished(() => {
			door.close();
			server.close();
		});
		await until("it is there", () => accepted.length === 1 && door.clients === 1);
		server.close();
		accepted[0]?.destroy();
		await until("it is told", () => troubles.length === 1 && door.clients === 0);
		server.listen(port, "127.0.0.1");
		await until("it is there again", () => accepted.length === 2 && door.clients === 1);
		accepted[1]?.write("again");
		await until("it is heard", () => Buffer.from(frontend.received).toString() === "again");
		expect(troubles).toHaveLength(1);
	});
});

describe("a channel's pty", () => {
	it("carries bytes for whoever has it open, and drops them while nobody has", async () => {
		const { ring, frontend, host } = new ChannelWorld();
		const door = new PtyDoor(host.devices, ring, host.devices.files);
		onTestFinished(() => door.close());
		frontend.write(Buffer.from("dropped"));
		await until("it is dropped", () => ring.counts.dropped === 7);
		const slave = host.devices.openSlave(door.ptyPath);
		await until("it is noticed", () => door.clients === 1);
		frontend.write(Buffer.alloc(20_000, "y"));
		let got = 0;
		await until("all has come", () => {
			got += slave.read().length;
			return got === 20_000;
		});
		slave.write(Buffer.from("typed"));
		await until("it is typed", () => Buffer.from(frontend.received).toString() === "typed");
		slave.close();
		await until("it is noticed", () => door.clients === 0 && !ring.isTaken);
		const hasty = host.devices.openSlave(door.ptyPath);
		hasty.write(Buffer.from(", and gone"));
		hasty.close();
		await until("it is typed", () => Buffer.from(frontend.received).toString() === "typed, and gone");
	});
});
