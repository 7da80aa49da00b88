import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import type { ChannelEnd } from "../../src/channel/channel-ring.ts";
import { until } from "../until.ts";
import { ChannelWorld } from "./channel-world.ts";

/** Takes so many bytes and then waits. */
class Sink implements ChannelEnd {
	bytes: Buffer = Buffer.alloc(0);
	room = Number.POSITIVE_INFINITY;
	roomAgain = 0;

	take(bytes: Uint8Array): number {
		const taken = bytes.subarray(0, Math.min(bytes.length, this.room - this.bytes.length));
		this.bytes = Buffer.concat([this.bytes, taken]);
		return taken.length;
	}

	inputRoomAgain(): void {
		this.roomAgain++;
	}
}

describe("a channel's ring", () => {
	it("drops what the guest writes while nobody is there, and nothing from then on", async () => {
		const { frontend, ring } = new ChannelWorld();
		frontend.write(Buffer.alloc(10_000, "a"));
		await until("it is dropped", () => ring.counts.dropped === 10_000);
		const sink = new Sink();
		ring.join(sink);
		frontend.write(Buffer.from("heard"));
		await until("it arrives", () => sink.bytes.toString() === "heard");
		ring.leave(sink);
		frontend.write(Buffer.from("not"));
		await until("it is dropped", () => ring.counts.dropped === 10_003);
		expect(ring.counts.fromGuest).toBe(5);
	});

	it("takes a byte at a time without loss, and a look now and then from a guest that notifies for each", async () => {
		const world = new ChannelWorld();
		const { frontend, ring } = world;
		const sink = new Sink();
		ring.join(sink);
		for (let at = 0; at < 3000; at++) {
			frontend.write(Buffer.from([at & 0xff]));
			await new Promise(setImmediate);
		}
		await until("every byte", () => sink.bytes.length === 3000);
		expect(sink.bytes.every((byte, at) => byte === (at & 0xff))).toBe(true);
		expect(world.turns).toBeLessThan(1500);
	});

	it("holds the guest back while its end takes nothing", async () => {
		const { frontend, ring } = new ChannelWorld();
		const sink = new Sink();
		sink.room = 3;
		ring.join(sink);
		frontend.write(Buffer.alloc(5000, "b"));
		await until("three bytes are taken", () => sink.bytes.length === 3);
		await until("the ring is full", () => frontend.pending === 2048);
		sink.room = Number.POSITIVE_INFINITY;
		ring.outputRoomAgain();
		await until("all is taken", () => sink.bytes.length === 5000);
	});

	it("keeps what is given for a guest that does not read yet, and says when there is room", async () => {
		const { frontend, ring } = new ChannelWorld();
		frontend.takesInput = false;
		const sink = new Sink();
		ring.join(sink);
		ring.give(Buffer.alloc(20_000, "c"));
		await until("the ring is full", () => ring.counts.toGuest === 1024);
		expect(ring.hasInputRoom).toBe(false);
		ring.leave(sink);
		ring.join(sink);
		frontend.takesInput = true;
		frontend.takeInput();
		await until("all has come", () => frontend.received.length === 20_000);
		expect(sink.roomAgain).toBe(1);
	});

	it.each([
		["outputProduced", 5000],
		["inputConsumed", 7],
	] as const)("ends when the guest's %s is impossible, and lets go of the ring", async (counter, value) => {
		const world = new ChannelWorld({ startAt: 0 });
		world.frontend.takesInput = false;
		world.frontend.poke(counter, value);
		world.ring.give(Buffer.from("x"));
		await until("it is noticed", () => world.broken !== undefined);
		expect(world.broken).toMatchObject({ code: "console-ring-broken" });
		expect(world.ring.ended).toBe(true);
	});

	it("has one end at a time", () => {
		const { ring } = new ChannelWorld();
		ring.join(new Sink());
		expect(() => ring.join(new Sink())).toThrow(TypeError);
	});

	const chunks = fc.array(fc.uint8Array({ maxLength: 5000 }), { maxLength: 12 });
	test.prop([chunks, chunks], { numRuns: 30 })("carries every byte in order, both ways at once", async (out, input) => {
		const { frontend, ring } = new ChannelWorld();
		const sink = new Sink();
		ring.join(sink);
		for (let index = 0; index < Math.max(out.length, input.length); index++) {
			frontend.write(out[index] ?? new Uint8Array(0));
			ring.give(input[index] ?? new Uint8Array(0));
		}
		const [sent, given] = [Buffer.concat(out), Buffer.concat(input)];
		await until("all has come", () => sink.bytes.length + frontend.received.length === sent.length + given.length);
		expect(sink.bytes.equals(sent)).toBe(true);
		expect(given.equals(frontend.received)).toBe(true);
	});
});
