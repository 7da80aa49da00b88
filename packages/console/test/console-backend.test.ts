import type { ProtocolError } from "@bulkhead/base";
import { fc, test } from "@fast-check/vitest";
import { describe, expect, it, onTestFinished } from "vitest";
import { ConsoleBackend } from "../src/backend/console-backend.ts";
import type { InputSource } from "../src/backend/console-input.ts";
import type { ConsoleReader, ReadFrom } from "../src/backend/console-reader.ts";
import { Journal } from "../src/journal/journal.ts";
import { type JournalFiles, realFiles } from "../src/journal/journal-files.ts";
import { FakeFrontend, FakeRingHost } from "../src/testing/index.ts";
import { Killed, MortalFiles } from "./mortal-files.ts";
import { temporaryDirectory } from "./temporary-directory.ts";
import { until } from "./until.ts";

interface World {
	host: FakeRingHost;
	frontend: FakeFrontend;
	attach(options?: Partial<{ files: JournalFiles; schedule: (turn: () => void) => void }>): ConsoleBackend;
	broken: ProtocolError[];
	trouble: unknown[];
}

function world({ segmentBytes = 4096, startAt = 0 } = {}): World {
	const host = new FakeRingHost();
	const frontend = new FakeFrontend(host, { domid: 5, gref: 8, port: 3, startAt });
	const directory = temporaryDirectory();
	const broken: ProtocolError[] = [];
	const trouble: unknown[] = [];
	const attached: ConsoleBackend[] = [];
	onTestFinished(() => {
		for (const backend of attached) backend.release();
		host.assertIdle();
	});
	return {
		host,
		frontend,
		broken,
		trouble,
		attach: (options = {}) => {
			const backend = ConsoleBackend.attach({
				evtchns: host.evtchns,
				grants: host.grants,
				domid: frontend.domid,
				gref: frontend.gref,
				remotePort: frontend.port,
				ringId: "boot/5/8/3",
				journal: Journal.open({ directory, label: "serial0", segmentBytes, files: options.files }),
				onBroken: (error) => broken.push(error),
				onJournalTrouble: (error) => trouble.push(error),
				schedule: options.schedule,
			});
			attached.push(backend);
			return backend;
		},
	};
}

/** Reads as fast as it comes, and remembers. */
function follow(backend: ConsoleBackend, from: ReadFrom): { text(): Buffer; gap: number; reader: ConsoleReader } {
	const parts: Uint8Array[] = [];
	const followed = {
		text: () => Buffer.concat(parts),
		gap: 0,
		reader: backend.openReader(from, () => take()),
	};
	const take = (): void => {
		for (;;) {
			const { gapBytes, bytes } = followed.reader.peek(500);
			followed.gap += gapBytes;
			if (bytes.length === 0) return;
			parts.push(bytes);
			followed.reader.take(bytes.length);
		}
	};
	take();
	return followed;
}

function pattern(length: number, seed = 1): Buffer {
	const bytes = Buffer.alloc(length);
	for (let at = 0, value = seed; at < length; at++) {
		value = (Math.imul(value, 1103515245) + 12345) >>> 0;
		bytes[at] = value >>> 16;
	}
	return bytes;
}

function typist(): InputSource & { counter: number; rooms: number } {
	return {
		counter: 0,
		rooms: 0,
		delivered(counter) {
			this.counter = counter;
		},
		overtaken() {},
		roomAgain() {
			this.rooms++;
		},
	};
}

describe("ConsoleBackend", () => {
	test.prop(
		[
			fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 20 }),
			fc.integer({ min: 0, max: 0xffff_ffff }),
		],
		{
			numRuns: 30,
		},
	)("passes output on whole, whatever the chunks and counters", async (sizes, startAt) => {
		const { frontend, attach } = world({ startAt });
		const backend = attach();
		const followed = follow(backend, "live");
		const all: Buffer[] = [];
		for (const [index, size] of sizes.entries()) {
			const chunk = pattern(size, index + 1);
			all.push(chunk);
			frontend.write(chunk);
			if (index % 3 === 0) await new Promise(setImmediate);
		}
		const expected = Buffer.concat(all);
		await until("all output read", () => followed.text().length === expected.length);
		expect(followed.text().equals(expected)).toBe(true);
		expect(followed.gap).toBe(0);
	});

	test.prop(
		[
			fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 10 }),
			fc.integer({ min: 0, max: 0xffff_ffff }),
		],
		{
			numRuns: 30,
		},
	)("passes input on whole, as the guest takes it", async (sizes, startAt) => {
		const { frontend, attach } = world({ startAt });
		const backend = attach();
		const source = typist();
		backend.input.join(source);
		const all = sizes.map((size, index) => pattern(size, index + 7));
		for (const chunk of all) {
			await until("room", () => backend.input.hasRoom);
			expect(backend.type(source, chunk)).toBe(true);
		}
		const expected = Buffer.concat(all);
		await until("all input taken", () => frontend.received.length === expected.length);
		expect(expected.equals(frontend.received)).toBe(true);
		expect(source.counter).toBe(startAt + expected.length);
	});

	it("takes up what the guest printed before anybody attached", async () => {
		const { frontend, attach } = world();
		frontend.write(pattern(1500));
		const followed = follow(attach(), "start");
		await until("early output", () => followed.text().length === 1500);
	});

	it("lets the guest wait for a connected reader, and only for a connected one", async () => {
		const { frontend, attach } = world({ segmentBytes: 4096 });
		const backend = attach();
		const lazy = backend.openReader("live", () => {});
		const all = pattern(40_000);
		frontend.write(all);
		await until("the guest waits", () => backend.blocked && frontend.pending === 2048);
		expect(backend.journal.end).toBe(8192);
		expect(backend.journal.start).toBe(0);
		const read: Uint8Array[] = [];
		for (let length = 0; length < 10_000; ) {
			const { bytes, gapBytes } = lazy.peek(100);
			expect(gapBytes).toBe(0);
			read.push(bytes);
			length += bytes.length;
			lazy.take(bytes.length);
			if (bytes.length === 0) await new Promise(setImmediate);
		}
		expect(Buffer.concat(read).equals(all.subarray(0, Buffer.concat(read).length))).toBe(true);
		await until("the guest waits again", () => backend.blocked);
		lazy.close();
		await until("everything recorded", () => backend.journal.end === all.length);
		expect(backend.blocked).toBe(false);
		const late = follow(backend, "start");
		expect(late.text().equals(all.subarray(backend.journal.start))).toBe(true);
	});

	it("gives others their turn while the guest fills the ring as fast as it is emptied", async () => {
		const { frontend, attach } = world({ segmentBytes: 1024 * 1024 });
		const total = 3 * 1024 * 1024;
		let printed = 1024;
		const print = (): void => {
			if (printed >= total) return;
			printed += 1024;
			frontend.write(pattern(1024));
		};
		let turns = 0;
		const backend = attach({
			files: {
				...realFiles,
				writeSync: ((...args: Parameters<typeof realFiles.writeSync>) => {
					print();
					return realFiles.writeSync(...args);
				}) as JournalFiles["writeSync"],
			},
			schedule: (turn) => {
				turns++;
				setImmediate(turn);
			},
		});
		frontend.write(pattern(1024));
		await until("everything recorded", () => backend.journal.end === total, 20_000);
		expect(turns).toBeGreaterThanOrEqual(total / (32 * 1024) - 1);
	});

	for (const [counter, value] of [
		["outputProduced", 2049],
		["outputProduced", 0xffff_ffff],
		["inputConsumed", 1],
		["inputConsumed", 0x8000_0000],
	] as const)
		it(`lets go of a ring whose ${counter} becomes ${value}`, async () => {
			const { frontend, attach, broken } = world();
			const backend = attach();
			const source = typist();
			frontend.takesInput = false;
			backend.input.join(source);
			frontend.poke(counter, value);
			backend.type(source, pattern(10));
			await until("the ring is given up", () => broken.length === 1);
			expect(broken[0]?.code).toBe("console-ring-broken");
			expect(backend.ended).toMatch(/claims to hold/);
			expect(backend.type(source, pattern(1))).toBe(false);
		});

	it("refuses a ring that is broken from the start, and holds nothing", () => {
		const { frontend, host } = world();
		frontend.poke("outputProduced", 5000);
		const journal = Journal.open({ directory: temporaryDirectory(), label: "a" });
		expect(() =>
			ConsoleBackend.attach({
				evtchns: host.evtchns,
				grants: host.grants,
				domid: frontend.domid,
				gref: frontend.gref,
				remotePort: frontend.port,
				ringId: "x",
				journal,
				onBroken: () => {},
			}),
		).toThrow(/claims to hold 5000 bytes/);
		journal.close();
		host.assertIdle();
	});

	it("takes the last bytes of a ring that it ends, and lets readers finish", async () => {
		const { frontend, attach } = world();
		const backend = attach({ schedule: () => {} });
		const reader = backend.openReader("start", () => {});
		frontend.write(pattern(2048));
		backend.end("detached");
		const { bytes } = reader.peek(4096);
		expect(pattern(2048).equals(bytes)).toBe(true);
		reader.take(bytes.length);
		const gone = backend.readersGone(1000);
		reader.close();
		await gone;
	});

	it("waits while the disk is full, and goes on when it is not", async () => {
		const { frontend, attach, trouble } = world();
		let full = false;
		const files: JournalFiles = {
			...realFiles,
			writeSync: ((...args: Parameters<typeof realFiles.writeSync>) => {
				if (full) throw Object.assign(new Error("no space"), { code: "ENOSPC" });
				return realFiles.writeSync(...args);
			}) as JournalFiles["writeSync"],
		};
		const backend = attach({ files });
		const followed = follow(backend, "live");
		full = true;
		frontend.write(pattern(5000));
		await until("trouble", () => trouble.length > 0 && backend.blocked);
		expect(followed.text().length).toBe(0);
		full = false;
		await until("recovered", () => followed.text().length === 5000);
		expect(followed.text().equals(pattern(5000))).toBe(true);
	});

	test.prop(
		[
			fc.array(fc.tuple(fc.integer({ min: 1, max: 120 }), fc.constantFrom("before", "after", "midway")), {
				maxLength: 6,
			}),
			fc.integer({ min: 0, max: 0xffff_ffff }),
			fc.integer({ min: 1, max: 20_000 }),
		],
		{ numRuns: 40 },
	)("is killed at any file call and taken up again: nothing lost, nothing twice", async (deaths, startAt, length) => {
		const { frontend, host, attach } = world({ startAt, segmentBytes: 3000 });
		const all = pattern(length, startAt + 1);
		frontend.write(all);
		const seen: Uint8Array[] = [];
		let offset = 0;
		const readOn = (backend: ConsoleBackend): void => {
			const reader = backend.openReader(offset, () => {
				for (;;) {
					let chunk: ReturnType<ConsoleReader["peek"]>;
					try {
						chunk = reader.peek(700);
					} catch (error) {
						if (error instanceof Killed) return;
						throw error;
					}
					const { bytes, gapBytes } = chunk;
					expect(gapBytes).toBe(0);
					if (bytes.length === 0) return;
					seen.push(bytes);
					offset += bytes.length;
					reader.take(bytes.length);
				}
			});
			reader.onReadable();
		};
		for (const [calls, when] of deaths) {
			const mortal = new MortalFiles(calls, when);
			const turns: (() => void)[] = [];
			try {
				readOn(attach({ files: mortal.files, schedule: (turn) => turns.push(turn) }));
				for (let idle = 0; idle < 3 && !mortal.dead; idle++) {
					for (let turn = turns.shift(); turn && !mortal.dead; turn = turns.shift()) turn();
					await new Promise(setImmediate);
				}
			} catch (error) {
				if (!(error instanceof Killed)) throw error;
			}
			mortal.kill();
			host.crash();
		}
		const last = attach();
		readOn(last);
		await until("everything read", () => offset === length);
		expect(Buffer.concat(seen).equals(all)).toBe(true);
	});
});
