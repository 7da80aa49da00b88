import { once } from "node:events";
import { finished } from "node:stream/promises";
import { setImmediate as nextTurn } from "node:timers/promises";
import { DOM0, domId, grantRef, InvalidInputError } from "@bulkhead/base";
import { HypervisorError } from "@bulkhead/hypervisor";
import { fc, test as property } from "@fast-check/vitest";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
	openVchanClient,
	openVchanServer,
	type VchanClient,
	VchanClosedError,
	type VchanServer,
	type VchanSession,
} from "../src/index.ts";
import { FakeXen } from "../src/testing/index.ts";

const STUB = domId(5);

interface Pair {
	xen: FakeXen;
	client: VchanClient;
	listener: VchanServer;
	/** The listener's session with the client. */
	server: VchanSession;
}

async function connect(orders: { leftOrder?: number; rightOrder?: number } = {}): Promise<Pair> {
	const xen = new FakeXen({ memory: "shared" });
	const [dom0, stub] = [xen.domain(DOM0), xen.domain(STUB)];
	let listener!: VchanServer;
	const { grants, evtchns } = dom0;
	let client!: VchanClient;
	const server = await new Promise<VchanSession>((resolve) => {
		const { offers } = stub;
		listener = openVchanServer({ offers, evtchns: stub.evtchns, domid: DOM0, ...orders, onSession: resolve });
		const { ringRef, port: remotePort } = listener;
		client = openVchanClient({ grants, evtchns, domid: STUB, ringRef, remotePort });
	});
	return { xen, client, listener, server };
}

async function collect(stream: AsyncIterable<Buffer>, length: number): Promise<Buffer> {
	const chunks: Buffer[] = [];
	let got = 0;
	for await (const chunk of stream) {
		chunks.push(chunk);
		got += chunk.length;
		if (got >= length) break;
	}
	return Buffer.concat(chunks);
}

/** Bytes that differ from place to place. */
function pattern(length: number): Buffer {
	return Buffer.from(
		Uint32Array.from({ length: Math.ceil(length / 4) }, (_, index) => index * 2654435761).buffer,
	).subarray(0, length);
}

async function closeBoth({ xen, client, listener }: Pair): Promise<void> {
	await Promise.all([client.close(), listener.close()]);
	xen.assertIdle();
}

describe("a vchan between two domains", () => {
	let pair: Pair;
	beforeEach(async () => {
		pair = await connect();
	});
	afterEach(() => closeBoth(pair));

	it("carries the server's greeting", async () => {
		pair.server.write("hello");
		expect((await collect(pair.client, 5)).toString()).toBe("hello");
	});

	it("tells the server that its client is there, and that it went", async () => {
		expect(pair.listener.session).toBe(pair.server);
		pair.server.resume();
		await pair.client.close();
		await once(pair.server, "end");
		expect(pair.server.isPeerOpen).toBe(false);
		expect(pair.listener.session).toBeUndefined();
	});

	it("still delivers what the server wrote before it closed, then ends", async () => {
		pair.server.write("last words");
		await pair.server.close();
		const chunks = (await pair.client.toArray()) as Buffer[];
		expect(Buffer.concat(chunks).toString()).toBe("last words");
	});

	it("holds a writer back while the peer does not read", async () => {
		const bytes = pattern(200_000);
		let isWritten = false;
		pair.client.write(bytes, () => {
			isWritten = true;
		});
		// The ring, the server's buffer and no more: the write cannot have ended.
		pair.server.once("readable", () => {});
		await once(pair.server, "readable");
		expect(isWritten).toBe(false);
		expect(pair.client.stats.bytesWritten).toBeLessThan(40_000);
		expect((await collect(pair.server, bytes.length)).equals(bytes)).toBe(true);
		expect(isWritten).toBe(true);
	});

	it("fails a write that waits for space when the peer goes", async () => {
		const failed = new Promise<Error | null | undefined>((resolve) => pair.client.write(pattern(100_000), resolve));
		pair.client.on("error", () => {});
		pair.client.resume();
		await pair.server.close();
		expect(await failed).toBeInstanceOf(VchanClosedError);
	});

	it("may be closed again and again", async () => {
		await pair.client.close();
		await pair.client.close();
		pair.client.destroy();
		expect(pair.client.destroyed).toBe(true);
	});

	it("ends both sides after `end`, once all was written", async () => {
		const bytes = pattern(10_000);
		const received = collect(pair.server, bytes.length);
		pair.client.end(bytes);
		expect((await received).equals(bytes)).toBe(true);
	});
});

describe("reading into one place", () => {
	let pair: Pair;
	let place: Buffer;
	let got: Buffer[];
	const take = (bytes: Buffer): void => void got.push(Buffer.from(bytes));
	beforeEach(async () => {
		pair = await connect();
		place = Buffer.alloc(700);
		got = [];
	});
	afterEach(() => closeBoth(pair));

	it("hands all bytes on, each piece at the place's beginning", async () => {
		const bytes = pattern(50_000);
		pair.client.readInto(place, (piece) => {
			expect(piece.buffer).toBe(place.buffer);
			expect(piece.byteOffset).toBe(place.byteOffset);
			take(piece);
		});
		await new Promise<unknown>((resolve) => pair.server.write(bytes, resolve));
		await vi.waitFor(() => expect(Buffer.concat(got).length).toBe(bytes.length));
		expect(Buffer.concat(got).equals(bytes)).toBe(true);
	});

	it("holds the writer back while it is paused, and goes on", async () => {
		const bytes = pattern(50_000);
		const paused = new Promise<void>((resolve) => {
			pair.client.readInto(place, (piece) => {
				take(piece);
				if (got.length > 1) return;
				pair.client.pause();
				resolve();
			});
		});
		let isWritten = false;
		const written = new Promise<void>((resolve) =>
			pair.server.write(bytes, () => {
				isWritten = true;
				resolve();
			}),
		);
		await paused;
		for (let turn = 0; turn < 50; turn++) await nextTurn();
		expect(got).toHaveLength(1);
		expect(isWritten).toBe(false);
		pair.client.resume();
		await written;
		await vi.waitFor(() => expect(Buffer.concat(got).equals(bytes)).toBe(true));
	});

	it("still gets what the peer wrote before it closed, then the end", async () => {
		pair.client.readInto(place, take);
		pair.server.write("last words");
		const ended = once(pair.client, "end");
		await pair.server.close();
		await ended;
		expect(Buffer.concat(got).toString()).toBe("last words");
	});

	it("gets what a peer that is gone had left only when it is resumed", async () => {
		pair.client.readInto(place, take);
		pair.client.pause();
		pair.server.write("last words");
		await pair.server.close();
		await vi.waitFor(() => expect(pair.client.isPeerOpen).toBe(false));
		expect(got).toEqual([]);
		const ended = once(pair.client, "end");
		pair.client.resume();
		await ended;
		expect(Buffer.concat(got).toString()).toBe("last words");
	});

	it("is refused without a place, and where the stream is being read already", () => {
		expect(() => pair.client.readInto(Buffer.alloc(0), take)).toThrow(InvalidInputError);
		pair.client.resume();
		expect(() => pair.client.readInto(place, take)).toThrow(InvalidInputError);
	});

	it("closes the vchan with what `take` throws", async () => {
		pair.client.readInto(place, () => {
			throw new RangeError("no more");
		});
		const failed = once(pair.client, "error");
		pair.server.write("too much");
		expect(await failed).toEqual([new RangeError("no more")]);
	});
});

describe("openVchanClient", () => {
	it("leaves nothing behind when the page is not granted", () => {
		const xen = new FakeXen();
		const stub = xen.domain(STUB);
		const port = stub.evtchns.bindUnbound(DOM0, () => {});
		const { grants, evtchns } = xen.domain(DOM0);
		expect(() =>
			openVchanClient({ grants, evtchns, domid: STUB, ringRef: grantRef(99), remotePort: port.port }),
		).toThrow(HypervisorError);
		port.close();
		xen.assertIdle();
	});

	it("leaves nothing behind when nobody offers the port", async () => {
		const pair = await connect();
		const { grants, evtchns } = pair.xen.domain(DOM0);
		const { ringRef, port: remotePort } = pair.listener;
		expect(() => openVchanClient({ grants, evtchns, domid: STUB, ringRef, remotePort })).toThrow(HypervisorError);
		await closeBoth(pair);
	});
});

describe("any vchan", () => {
	const orders = fc.constantFrom([10, 11], [11, 10], [12, 12], [10, 12], [13, 11], [11, 16]);
	const writes = fc.array(fc.integer({ min: 1, max: 9000 }), { minLength: 1, maxLength: 12 });

	property.prop([orders, writes, writes], { numRuns: 60 })(
		"carries both directions whatever the sizes of writes",
		async ([leftOrder, rightOrder], toServer, toClient) => {
			const pair = await connect({ leftOrder, rightOrder });
			const send = async (stream: VchanClient | VchanSession, sizes: number[], seed: number): Promise<Buffer> => {
				const chunks = sizes.map((size, index) => pattern(size).fill((seed + index) & 0xff, 0, Math.min(size, 8)));
				for (const chunk of chunks) if (!stream.write(chunk)) await once(stream, "drain");
				return Buffer.concat(chunks);
			};
			const total = (sizes: number[]): number => sizes.reduce((sum, size) => sum + size, 0);
			const [sentToServer, sentToClient, atServer, atClient] = await Promise.all([
				send(pair.client, toServer, 1),
				send(pair.server, toClient, 101),
				collect(pair.server.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>, total(toServer)),
				collect(pair.client.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>, total(toClient)),
			]);
			expect(atServer.equals(sentToServer)).toBe(true);
			expect(atClient.equals(sentToClient)).toBe(true);
			await closeBoth(pair);
			await Promise.all([finished(pair.client).catch(() => {}), finished(pair.server).catch(() => {})]);
		},
	);
});
