import { once } from "node:events";
import { DOM0, domId, type GrantRef, ProtocolError } from "@bulkhead/base";
import type { BoundEvtchn, OfferedPages } from "@bulkhead/hypervisor";
import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { LIVE, NOTIFY, OFFSET, openVacantVchanClient, openVchanClient, type VchanClient } from "../src/index.ts";
import { FakeXen } from "../src/testing/index.ts";

const STUB = domId(5);

/** A server in wrong hands: writes what it likes where it likes. */
class HostileServer {
	readonly xen: FakeXen = new FakeXen();
	readonly #offered: OfferedPages;
	readonly #evtchn: BoundEvtchn;

	constructor(leftOrder = 10, rightOrder = 11) {
		const { offers, evtchns } = this.xen.domain(STUB);
		this.#evtchn = evtchns.bindUnbound(DOM0, () => {});
		this.#offered = offers.offer(DOM0, 1);
		this.setWord16(OFFSET.leftOrder, leftOrder);
		this.setWord16(OFFSET.rightOrder, rightOrder);
		this.setByte(OFFSET.clientLive, LIVE.awaited);
		this.setByte(OFFSET.serverLive, LIVE.connected);
		this.setByte(OFFSET.clientNotify, NOTIFY.written);
	}

	get ref(): GrantRef {
		const [ref] = this.#offered.refs;
		if (ref === undefined) throw new RangeError("no page");
		return ref;
	}

	get page(): Uint8Array {
		return new Uint8Array(this.xen.memoryOf(STUB, this.ref));
	}

	open(): VchanClient {
		const { grants, evtchns } = this.xen.domain(DOM0);
		return openVchanClient({ grants, evtchns, domid: STUB, ringRef: this.ref, remotePort: this.#evtchn.port });
	}

	openVacant(timeoutMs: number): Promise<VchanClient> {
		const { grants, evtchns } = this.xen.domain(DOM0);
		const place = { grants, evtchns, domid: STUB, ringRef: this.ref, remotePort: this.#evtchn.port };
		return openVacantVchanClient(place, { timeoutMs, what: "a clean channel" });
	}

	setByte(offset: number, value: number): void {
		this.page[offset] = value;
	}

	setWord16(offset: number, value: number): void {
		new DataView(this.page.buffer).setUint16(offset, value, true);
	}

	setWord(offset: number, value: number): void {
		new DataView(this.page.buffer).setUint32(offset, value, true);
	}

	/** As an honest server writes. */
	say(text: string, producer: number): void {
		this.page.set(Buffer.from(text), 2048 + (producer & 2047));
		this.setWord(OFFSET.rightProducer, (producer + text.length) >>> 0);
		this.notify();
	}

	notify(): void {
		this.#evtchn.notify();
	}

	leave(): void {
		this.#offered.close();
		this.#evtchn.close();
		this.xen.assertIdle();
	}
}

async function failureOf(client: VchanClient): Promise<unknown> {
	client.resume();
	const [error] = await once(client, "error");
	return error;
}

describe("a client of a hostile server", () => {
	it.each([
		["the counter of the ring it reads", OFFSET.rightProducer],
		["the counter of the ring it writes", OFFSET.leftConsumer],
	])("ends the session when %s cannot be", async (_, offset) => {
		const server = new HostileServer();
		const client = server.open();
		const failed = failureOf(client);
		client.write("x");
		server.setWord(offset, 1_000_000);
		server.notify();
		// The writing side meets its counter with the next write.
		client.write("y");
		expect(await failed).toBeInstanceOf(ProtocolError);
		expect(server.page[OFFSET.clientLive]).toBe(0);
		server.leave();
	});

	it.each([
		[9, 11],
		[11, 11],
		[21, 10],
		[65535, 65535],
	])("refuses the ring orders %i and %i and gives everything back", (left, right) => {
		const server = new HostileServer(left, right);
		expect(() => server.open()).toThrow(ProtocolError);
		server.leave();
	});

	it("keeps the orders that it read when the server changes them", async () => {
		const server = new HostileServer();
		const client = server.open();
		server.setWord16(OFFSET.leftOrder, 20);
		server.setWord16(OFFSET.rightOrder, 20);
		server.say("hello", 0);
		const [chunk] = await once(client, "data");
		expect(`${chunk}`).toBe("hello");
		await client.close();
		server.leave();
	});

	it("ends when the live byte falls, even if it rises again, and hears no more", async () => {
		const server = new HostileServer();
		const client = server.open();
		server.setByte(OFFSET.serverLive, LIVE.gone);
		server.say("bye", 0);
		await new Promise((resolve) => setImmediate(resolve));
		expect(client.isPeerOpen).toBe(false);
		server.setByte(OFFSET.serverLive, LIVE.connected);
		server.say("and on", 3);
		const chunks: string[] = [];
		client.on("data", (chunk) => chunks.push(`${chunk}`));
		await once(client, "close");
		expect(chunks).toEqual(["bye"]);
		server.leave();
	});

	it("leaves time to others while the server floods it", async () => {
		const server = new HostileServer();
		const client = server.open();
		let producer = 0;
		let turns = 0;
		const refill = (): void => {
			producer += 2048;
			server.setWord(OFFSET.rightProducer, producer >>> 0);
			server.notify();
		};
		client.on("data", refill);
		refill();
		await new Promise<void>((resolve) => {
			const tick = (): void => {
				if (++turns === 50) resolve();
				else setImmediate(tick);
			};
			setImmediate(tick);
		});
		const perTurn = client.stats.bytesRead / turns;
		expect(client.stats.bytesRead).toBeGreaterThan(50 * 2048);
		expect(perTurn).toBeLessThanOrEqual(64 * 1024 + 2048);
		client.removeAllListeners("data");
		await client.close();
		server.leave();
	});

	it("waits for a server that never says that its channel is clean no longer than it may, and keeps nothing", async () => {
		for (const live of [LIVE.gone, LIVE.connected, LIVE.accepted, 255]) {
			const server = new HostileServer();
			server.setByte(OFFSET.clientLive, live);
			const opened = server.openVacant(20);
			server.notify();
			await expect(opened).rejects.toMatchObject({ code: "deadline-exceeded" });
			server.leave();
		}
		const server = new HostileServer();
		server.setByte(OFFSET.serverLive, LIVE.gone);
		const opened = server.openVacant(5000);
		server.setByte(OFFSET.serverLive, LIVE.connected);
		server.notify();
		await (await opened).close();
		server.leave();
	});

	it("keeps nothing of a server whose rings cannot be, also when it had to wait", async () => {
		const server = new HostileServer(12, 11);
		server.setByte(OFFSET.clientLive, LIVE.gone);
		const opened = server.openVacant(5000);
		server.setWord16(OFFSET.leftOrder, 99);
		server.setByte(OFFSET.clientLive, LIVE.awaited);
		server.notify();
		await expect(opened).rejects.toThrow(ProtocolError);
		server.leave();
	});

	it("gives up a server that sends events for nothing", async () => {
		// All within one second, however slow the machine is.
		vi.useFakeTimers({ toFake: ["performance"] });
		onTestFinished(() => void vi.useRealTimers());
		const server = new HostileServer();
		const client = server.open();
		const failed = failureOf(client);
		let events = 0;
		while (!client.destroyed && events++ < 20_000) {
			server.notify();
			await new Promise((resolve) => setImmediate(resolve));
		}
		expect(await failed).toBeInstanceOf(ProtocolError);
		server.leave();
	});

	const act = fc.oneof(
		fc.record({ kind: fc.constant("byte" as const), at: fc.integer({ min: 0, max: 31 }), value: fc.nat(255) }),
		fc.record({ kind: fc.constant("word" as const), at: fc.constantFrom(0, 4, 8, 12), value: fc.nat(0xffff_ffff) }),
		fc.record({ kind: fc.constant("word" as const), at: fc.constantFrom(0, 4, 8, 12), value: fc.nat(4096) }),
		fc.record({ kind: fc.constant("write" as const), size: fc.nat(5000) }),
		fc.record({ kind: fc.constant("pause" as const) }),
	);

	property.prop([fc.array(act, { maxLength: 40 })], { numRuns: 300 })(
		"stays or ends cleanly, whatever is done to its memory",
		async (acts) => {
			const server = new HostileServer();
			const client = server.open();
			let error: unknown;
			client.on("error", (failure) => {
				error = failure;
			});
			client.on("data", (chunk: Buffer) => expect(chunk.length).toBeLessThanOrEqual(2048));
			for (const step of acts) {
				if (step.kind === "byte") server.setByte(step.at, step.value);
				else if (step.kind === "word") server.setWord(step.at, step.value);
				else if (step.kind === "write") {
					if (client.writable) client.write(Buffer.alloc(step.size));
				} else await new Promise((resolve) => setImmediate(resolve));
				server.notify();
			}
			await new Promise((resolve) => setImmediate(resolve));
			if (error !== undefined) expect(client.destroyed).toBe(true);
			await client.close();
			if (error !== undefined) expect(error).toSatisfy((e) => e instanceof ProtocolError || isClosed(e));
			server.leave();
		},
	);
});

function isClosed(error: unknown): boolean {
	return error instanceof Error && "code" in error && (error.code === "vchan-closed" || error.code === "cancelled");
}
