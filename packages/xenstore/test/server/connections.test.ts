import { once } from "node:events";
import { chmod, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { domId } from "@bulkhead/base";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WireClient } from "../../src/contract/histories/index.ts";
import { XenstoreServer } from "../../src/server/index.ts";
import { encodeMessage, LIMITS, MessageParser, OPERATION, type Operation } from "../../src/wire/index.ts";

const [GUEST, OTHER] = [domId(5), domId(6)];

let server: XenstoreServer;
let dom0: WireClient;

beforeEach(() => {
	server = new XenstoreServer();
	dom0 = new WireClient(server.connectClient());
});

afterEach(async () => {
	dom0.close();
	await server.close();
});

function request(operation: Operation, payload: string, requestId = 1): Buffer {
	return encodeMessage({ type: OPERATION[operation], requestId, transactionId: 0, payload: Buffer.from(payload) });
}

async function value(path: string): Promise<string> {
	const answer = await dom0.ask("READ", `${path}\0`);
	return "payload" in answer ? answer.payload : answer.errno;
}

/** Waits until the value stops changing: domain 0 gets one answer for each turn of the others. */
async function settledValue(path: string): Promise<number> {
	let last = "";
	for (let same = 0; same < 50; ) {
		const now = await value(path);
		same = now === last ? same + 1 : 0;
		last = now;
	}
	return Number(last);
}

/** A domain with a folder of its own. */
async function openDomain(domid = GUEST): Promise<Duplex> {
	server.introduceDomain(domid);
	server.host.write(`/local/domain/${domid}`, "", [{ domid, access: "none" }]);
	return server.connectDomain(domid);
}

function countReplies(stream: Duplex): { count: number } {
	const parser = new MessageParser();
	const seen = { count: 0 };
	stream.on("data", (chunk: Buffer) => parser.push(chunk, () => seen.count++));
	return seen;
}

describe("a connection", () => {
	it("may send its bytes one by one, or many requests at once", async () => {
		const stream = server.connectClient();
		const seen = countReplies(stream);
		for (const byte of request("WRITE", "/a\0slow")) stream.write(Buffer.of(byte));
		stream.write(Buffer.concat(Array.from({ length: 500 }, (_, id) => request("READ", "/a\0", id))));
		await expect.poll(() => seen.count).toBe(501);
		expect(await value("/a")).toBe("slow");
		stream.destroy();
	});

	it("is ended by a message that announces too much, and by nothing smaller", async () => {
		const largest = new WireClient(server.connectClient());
		expect(await largest.ask("WRITE", `/a\0${"v".repeat(LIMITS.payload - 3)}`)).toEqual({ payload: "OK\0" });
		await dom0.ask("WATCH", "/a\0t\0");
		const header = Buffer.alloc(LIMITS.header);
		header.writeUInt32LE(LIMITS.payload + 1, 12);
		largest.sendRaw(header);
		await largest.closed();
		expect(await value("/a")).toHaveLength(LIMITS.payload - 3);
		expect(server.counts).toMatchObject({ clients: 1, watches: 1 });
	});

	it("that ends in the middle of a message leaves nothing behind", async () => {
		const client = new WireClient(server.connectClient());
		await client.ask("WATCH", "/a\0t\0");
		await client.ask("TRANSACTION_START", "\0");
		client.sendRaw(request("WRITE", "/a\0never").subarray(0, 20));
		expect(server.counts).toMatchObject({ clients: 2, watches: 1, transactions: 1 });
		client.close();
		await expect.poll(() => server.counts).toMatchObject({ clients: 1, watches: 0, transactions: 0 });
		expect(await value("/a")).toBe("ENOENT");
		server.assertIdle();
	});

	it("that says all it has and ends its side gets its answers", async () => {
		const stream = server.connectClient();
		const seen = countReplies(stream);
		stream.end(Buffer.concat([request("WRITE", "/a\0last words"), request("READ", "/a\0")]));
		await once(stream, "close");
		expect(seen.count).toBe(2);
		expect(await value("/a")).toBe("last words");
	});

	it("is not listened to while it does not read, and loses nothing", async () => {
		server.host.write("/big", "v".repeat(4000));
		const stream = server.connectClient();
		const requests = 400;
		const bytes = Array.from({ length: requests }, (_, index) => [
			request("READ", "/big\0"),
			request("WRITE", `/reached\0${index + 1}`),
		]);
		stream.write(Buffer.concat(bytes.flat()));
		const reached = await settledValue("/reached");
		expect(reached).toBeGreaterThan(0);
		expect(reached).toBeLessThan(requests / 4);
		const seen = countReplies(stream);
		await expect.poll(() => seen.count).toBe(2 * requests);
		expect(await value("/reached")).toBe(`${requests}`);
		stream.destroy();
	});

	it("that floods gets one turn like any other", async () => {
		const flood = server.connectClient();
		const seen = countReplies(flood);
		const requests = 20_000;
		flood.write(Buffer.concat(Array.from({ length: requests }, () => request("GET_DOMAIN_PATH", "0\0"))));
		await expect.poll(() => seen.count, { interval: 1 }).toBeGreaterThan(0);
		for (let asked = 0; asked < 10; asked++) await value("/tool");
		expect(seen.count).toBeLessThan(requests);
		await expect.poll(() => seen.count).toBe(requests);
		flood.destroy();
	});

	it("of domain 0 that leaves too many events unread is cut off", async () => {
		await using small = new XenstoreServer({ mostUnread: 100_000 });
		const deaf = small.connectClient();
		deaf.write(request("WATCH", "/a\0t\0"));
		await expect.poll(() => small.counts.watches).toBe(1);
		for (let index = 0; index < 10_000; index++) small.host.write(`/a/${index}`, "");
		expect(small.counts).toMatchObject({ clients: 0, watches: 0 });
		deaf.destroy();
	});

	it("that does not keep up gets equal events once, and special ones each time", async () => {
		const stream = server.connectClient();
		for (const path of ["/a", "@releaseDomain"]) stream.write(request("WATCH", `${path}\0t\0`));
		await expect.poll(() => server.counts.watches).toBe(2);
		for (let index = 0; index < 8000; index++) server.host.write("/a/fill", `${index}`);
		server.introduceDomain(GUEST);
		await expect.poll(() => server.counts.domains).toBe(2);
		await dom0.ask("READ", "/a\0");
		// What the stream took went at once; from now on all of it waits.
		for (let index = 0; index < 8000; index++) server.host.write(`/a/${index % 2}`, "");
		for (let index = 0; index < 3; index++) {
			server.domainShutdown(GUEST);
			await dom0.ask("RESUME", `${GUEST}\0`);
		}
		const events: string[] = [];
		const parser = new MessageParser();
		stream.on("data", (chunk: Buffer) =>
			parser.push(chunk, ({ type, payload }) => {
				if (type === OPERATION.WATCH_EVENT) events.push(payload.toString().split("\0")[0] ?? "");
			}),
		);
		await expect.poll(() => events.filter((path) => path === "@releaseDomain").length).toBe(4);
		expect(events.filter((path) => path === "/a/1").length).toBeLessThan(8000);
		stream.destroy();
	});
});

describe("a domain", () => {
	it("waits for its introduction", async () => {
		const client = new WireClient(server.connectDomain(GUEST));
		const answer = client.ask("GET_DOMAIN_PATH", "5\0");
		expect(server.counts.domains).toBe(1);
		server.introduceDomain(GUEST);
		expect(await answer).toEqual({ payload: "/local/domain/5\0" });
		expect(server.counts.domains).toBe(2);
		client.close();
	});

	it("has one ring, which it may open again", async () => {
		const first = new WireClient(await openDomain());
		expect(() => server.connectDomain(GUEST)).toThrow("connected");
		await first.ask("WATCH", "a\0t\0");
		first.close();
		await expect.poll(() => server.counts.watches).toBe(0);
		const second = new WireClient(server.connectDomain(GUEST));
		expect(await second.ask("WRITE", "a\0again")).toEqual({ payload: "OK\0" });
		expect(await value("/local/domain/5/a")).toBe("again");
		second.close();
	});

	it("that is connected and gone before it was introduced leaves nothing", async () => {
		const stream = server.connectDomain(GUEST);
		expect(() => server.connectDomain(GUEST)).toThrow("connected");
		server.domainGone(GUEST);
		await once(stream, "close");
		server.connectDomain(GUEST).destroy();
		expect(server.counts.domains).toBe(1);
	});

	it("loses its connection when it is released or gone", async () => {
		const release = async (): Promise<unknown> => dom0.ask("RELEASE", `${GUEST}\0`);
		const go = async (): Promise<unknown> => server.domainGone(GUEST);
		for (const end of [release, go]) {
			const client = new WireClient(await openDomain());
			await client.ask("WATCH", "a\0t\0");
			await client.ask("TRANSACTION_START", "\0");
			await end();
			await client.closed();
			expect(server.counts).toMatchObject({ watches: 0, transactions: 0, domains: 1 });
			expect(await value("/local/domain/5")).toBe("ENOENT");
		}
		server.assertIdle();
	});

	it("begins anew when it is introduced again", async () => {
		const client = new WireClient(await openDomain());
		await client.ask("WATCH", "a\0t\0");
		await client.ask("TRANSACTION_START", "\0");
		await dom0.ask("INTRODUCE", "5\x001\x007\0");
		expect(server.counts).toMatchObject({ watches: 0, transactions: 0, domains: 2 });
		expect(await client.ask("WATCH", "a\0t\0")).toEqual({ payload: "OK\0" });
		client.close();
	});

	it("that breaks the protocol is not heard any more, and nobody else minds", async () => {
		const stream = await openDomain();
		stream.write(request("WATCH", "a\0t\0"));
		await expect.poll(() => server.counts.watches).toBe(1);
		stream.write(Buffer.alloc(LIMITS.header, 0xff));
		await expect.poll(() => server.counts.watches).toBe(0);
		stream.write(request("WRITE", "a\0never"));
		await settledValue("/tool");
		expect(await value("/local/domain/5/a")).toBe("ENOENT");
		expect(await dom0.ask("IS_DOMAIN_INTRODUCED", "5\0")).toEqual({ payload: "T\0" });
	});

	it("is not heard while it leaves its answers unread", async () => {
		const stream = await openDomain();
		const requests = 2000;
		for (let index = 1; index <= requests; index++) stream.write(request("WRITE", `n\0${index}`));
		const reached = await settledValue("/local/domain/5/n");
		// What the ring takes both ways, and 20 more.
		expect(reached).toBeLessThan(300);
		const seen = countReplies(stream);
		await expect.poll(() => seen.count).toBe(requests);
		expect(await value("/local/domain/5/n")).toBe(`${requests}`);
	});

	it("has to wait for the readers of the events that it makes, until they are given up", async () => {
		const deaf = await openDomain(OTHER);
		server.host.write("/shared", "", [
			{ domid: GUEST, access: "none" },
			{ domid: OTHER, access: "read" },
		]);
		deaf.write(request("WATCH", "/shared\0t\0"));
		await expect.poll(() => server.counts.watches).toBe(1);
		const writer = await openDomain(GUEST);
		const seen = countReplies(writer);
		const requests = 500;
		for (let index = 1; index <= requests; index++) writer.write(request("WRITE", `/shared/${index}\0`));
		await settledValue("/tool");
		const stalledAt = seen.count;
		expect(stalledAt).toBeLessThan(requests);
		// Domain 0 neither waits nor is counted.
		for (let index = 0; index < 100; index++) await dom0.ask("WRITE", `/shared/zero${index}\0`);
		server.expireEvents();
		await settledValue("/tool");
		expect(seen.count).toBe(stalledAt);
		server.expireEvents();
		await expect.poll(() => seen.count).toBeGreaterThan(stalledAt);
		deaf.destroy();
		await expect.poll(() => seen.count).toBe(requests);
	});
});

describe("the host", () => {
	it("hears of introductions, releases and targets", () => {
		const heard: string[] = [];
		const stops = [
			server.onIntroduce((domid, { frame, port }) => heard.push(`introduce ${domid} ${frame} ${port}`)),
			server.onRelease((domid) => heard.push(`release ${domid}`)),
			server.onSetTarget((stub, guest) => heard.push(`target ${stub} ${guest}`)),
		];
		const all = [
			dom0.ask("INTRODUCE", "5\x001234\x003\0"),
			dom0.ask("INTRODUCE", "6\0-1\x004\0"),
			dom0.ask("SET_TARGET", "6\x005\0"),
			dom0.ask("RELEASE", "6\0"),
		];
		return Promise.all(all).then(() => {
			server.domainGone(GUEST);
			for (const stop of stops) stop();
			server.introduceDomain(GUEST);
			expect(heard).toEqual(["introduce 5 1234 3", "introduce 6 -1 4", "target 6 5", "release 6", "release 5"]);
		});
	});

	it("reads and changes the tree at once, with events", async () => {
		await dom0.ask("WATCH", "/h\0t\0");
		server.host.write("/h/a", "grüße", [{ domid: GUEST, access: "read" }]);
		server.host.write("/h/a", "2");
		expect(server.host.find("/h/a")).toBe("2");
		expect(server.host.find("/none")).toBeUndefined();
		expect(server.host.findList("/h")).toEqual(["a"]);
		expect(await dom0.ask("GET_PERMS", "/h/a\0")).toEqual({ payload: "r5\0" });
		server.host.remove("/h");
		server.host.remove("/h/a/b");
		expect((await dom0.settle()).map(({ path }) => path)).toEqual(["/h", "/h/a", "/h/a", "/h/a", "/h"]);
		expect(server.host.toJSON()).toEqual({ "/": "", "/tool": "", "/tool/xenstored": "" });
		expect(() => server.host.remove("/")).toThrow("root");
		expect(() => server.host.write("relative", "")).toThrow("absolute");
		expect(() => server.domainGone(domId(0))).toThrow("Domain 0");
	});

	it("is told what is still open", async () => {
		await dom0.ask("WATCH", "/h\0t\0");
		await dom0.ask("TRANSACTION_START", "\0");
		expect(() => server.assertIdle()).toThrow("Left open: watch of domain 0 on /h, transaction 1 of domain 0");
	});
});

describe("the socket", () => {
	let directory: string;

	beforeEach(async () => {
		directory = await mkdtemp(join(tmpdir(), "xenstore-server-"));
	});

	afterEach(() => rm(directory, { recursive: true }));

	it("replaces what is there, is for its owner alone, and goes with the server", async () => {
		const path = join(directory, "socket");
		await writeFile(path, "left by another one");
		await server.listen(path);
		expect((await stat(path)).mode & 0o777).toBe(0o600);
		await chmod(path, 0o666);
		const client = await WireClient.open(path);
		expect(await client.ask("WRITE", "/a\0by socket")).toEqual({ payload: "OK\0" });
		expect(await value("/a")).toBe("by socket");
		await server.close();
		await client.closed();
		await expect(stat(path)).rejects.toThrow("ENOENT");
		await server.close();
	});

	it("of a client that vanishes is forgotten", async () => {
		const path = join(directory, "socket");
		await server.listen(path);
		const socket = connect(path);
		await once(socket, "connect");
		socket.write(request("WATCH", "/a\0t\0"));
		await expect.poll(() => server.counts.watches).toBe(1);
		socket.destroy();
		await expect.poll(() => server.counts).toMatchObject({ clients: 1, watches: 0 });
	});

	it("says when it cannot listen", async () => {
		await expect(server.listen(join(directory, "none/socket"))).rejects.toMatchObject({
			code: "xenstore-server-socket",
		});
	});
});
