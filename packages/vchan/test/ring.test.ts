import { ProtocolError } from "@bulkhead/base";
import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { RingConsumer, type RingMemory, RingProducer } from "../src/ring.ts";

function ringOf(size: number, counter = 0): RingMemory {
	return { words: new Uint32Array([counter, counter]), consumer: 0, producer: 1, data: new Uint8Array(size) };
}

describe("RingProducer and RingConsumer", () => {
	it("carry bytes across the counters' wrap at 2^32", () => {
		const ring = ringOf(1024, 0xffff_fffa);
		const [producer, consumer] = [new RingProducer(ring), new RingConsumer(ring)];
		const bytes = Uint8Array.from({ length: 700 }, (_, index) => index);
		for (let round = 0; round < 4; round++) {
			expect(producer.write(bytes)).toBe(700);
			expect(Uint8Array.from(consumer.read(4096))).toEqual(bytes);
		}
		expect(ring.words[1]).toBe((0xffff_fffa + 2800) >>> 0);
	});

	it("write no more than fits and read no more than asked", () => {
		const ring = ringOf(1024);
		const [producer, consumer] = [new RingProducer(ring), new RingConsumer(ring)];
		expect(producer.write(new Uint8Array(5000))).toBe(1024);
		expect(producer.write(new Uint8Array(1))).toBe(0);
		expect(consumer.read(100)).toHaveLength(100);
		expect(producer.space()).toBe(100);
		expect(consumer.available()).toBe(924);
	});

	property.prop([
		fc.array(fc.oneof(fc.uint8Array({ maxLength: 3000 }), fc.integer({ min: 0, max: 3000 })), { maxLength: 60 }),
		fc.integer({ min: 0, max: 0xffff_ffff }),
	])("whatever the sizes of writes and reads, the bytes come out as they went in", (acts, start) => {
		const ring = ringOf(1024, start);
		const [producer, consumer] = [new RingProducer(ring), new RingConsumer(ring)];
		const sent: number[] = [];
		const received: number[] = [];
		for (const act of acts) {
			if (typeof act === "number") received.push(...consumer.read(act));
			else sent.push(...act.subarray(0, producer.write(act)));
		}
		received.push(...consumer.read(1024));
		expect(received).toEqual(sent);
	});

	property.prop([fc.integer({ min: 0, max: 0xffff_ffff })])("a counter that cannot be is refused", (counter) => {
		const ring = ringOf(1024);
		const [producer, consumer] = [new RingProducer(ring), new RingConsumer(ring)];
		producer.write(new Uint8Array(10));
		ring.words[0] = counter;
		if (counter <= 10) expect(producer.space()).toBe(1024 - (10 - counter));
		else if ((10 - counter) >>> 0 > 1024) expect(() => producer.space()).toThrow(ProtocolError);
		ring.words[1] = counter;
		if (counter <= 1024) expect(consumer.available()).toBe(counter);
		else expect(() => consumer.read(1)).toThrow(ProtocolError);
	});

	it("keep their own counters: a peer that changes them in the memory moves nothing", () => {
		const ring = ringOf(1024);
		const [producer, consumer] = [new RingProducer(ring), new RingConsumer(ring)];
		producer.write(Buffer.from("abc"));
		ring.words[0] = 2;
		expect(consumer.read(10).toString()).toBe("abc");
		expect(ring.words[0]).toBe(3);
		ring.words[1] = 1000;
		producer.write(Buffer.from("d"));
		expect(ring.words[1]).toBe(4);
	});
});
