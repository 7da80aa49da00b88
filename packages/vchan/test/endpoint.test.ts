import { once } from "node:events";
import { finished } from "node:stream/promises";
import { DOM0, domId, grantRef } from "@bulkhead/base";
import { HypervisorError } from "@bulkhead/hypervisor";
import { fc, test as property } from "@fast-check/vitest";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
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
