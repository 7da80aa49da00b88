import { existsSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { Journal } from "../src/journal/journal.ts";
import { Killed, MortalFiles } from "./mortal-files.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text);
const text = (journal: Journal): string => {
	const parts: Uint8Array[] = [];
	for (let at = journal.start; at < journal.end; ) {
		const part = journal.read(at, 7);
		parts.push(part);
		at += part.length;
	}
	return Buffer.concat(parts).toString();
};

function appendAll(journal: Journal, data: Uint8Array, needed = Number.POSITIVE_INFINITY): number {
	let done = 0;
	while (done < data.length) {
		const room = journal.makeRoom(needed);
		if (room === 0) break;
		done += journal.append(data.subarray(done, done + room));
	}
	return done;
}

describe("Journal", () => {
	it("keeps what was appended across being opened again", () => {
		const directory = join(temporaryDirectory(), "guest");
		const first = Journal.open({ directory, label: "serial0" });
		first.append(bytes("hello "));
		first.close();
		const second = Journal.open({ directory, label: "serial0" });
		second.append(bytes("world"));
		expect(text(second)).toBe("hello world");
		expect(second.stream).toBe(first.stream);
		expect(readFileSync(second.path, "utf8")).toBe("hello world");
		expect(statSync(second.path).mode & 0o777).toBe(0o640);
		expect(statSync(join(directory, "serial0.json")).mode & 0o777).toBe(0o640);
		second.close();
	});

	it("rotates between two segments and keeps the newest bytes", () => {
		const directory = temporaryDirectory();
		const journal = Journal.open({ directory, label: "stub", segmentBytes: 10 });
		appendAll(journal, bytes("0123456789abcdefghijABCDE"));
		expect([journal.start, journal.end]).toEqual([10, 25]);
		expect(text(journal)).toBe("abcdefghijABCDE");
		expect(readdirSync(directory).sort()).toEqual(["stub.1.seg", "stub.2.seg", "stub.json", "stub.log"]);
		expect(readlinkSync(journal.path)).toBe("stub.2.seg");
		journal.close();
		const again = Journal.open({ directory, label: "stub", segmentBytes: 10 });
		expect([again.start, again.end]).toEqual([10, 25]);
		expect(text(again)).toBe("abcdefghijABCDE");
		again.close();
	});

	it("makes no room while a reader needs the oldest segment", () => {
		const journal = Journal.open({ directory: temporaryDirectory(), label: "a", segmentBytes: 4 });
		expect(appendAll(journal, bytes("abcdefghij"), 3)).toBe(8);
		expect(journal.makeRoom(3)).toBe(0);
		expect(journal.makeRoom(4)).toBe(4);
		journal.close();
	});

	it("tells a ring that it took up before from another", () => {
		const directory = temporaryDirectory();
		const open = (): Journal => Journal.open({ directory, label: "a" });
		const first = open();
		expect(first.adoptRing("boot/1/2/3", 0xffff_fffe, 6)).toBe(0);
		first.append(bytes("abcd")); // and dies: out_cons never moved
		first.close();
		const second = open();
		expect(second.adoptRing("boot/1/2/3", 0xffff_fffe, 6)).toBe(4);
		second.close();
		const other = open();
		expect(other.adoptRing("boot/4/2/3", 0, 600)).toBe(0);
		other.close();
		const forgotten = open();
		forgotten.adoptRing("boot/4/2/3", 0, 600);
		forgotten.append(bytes("xy"));
		forgotten.forgetRing();
		expect(forgotten.adoptRing("boot/4/2/3", 0, 600)).toBe(0);
		forgotten.close();
	});

	it("begins a new stream when its sidecar makes no sense", () => {
		for (const broken of [
			"",
			"{}",
			'{"version":1,"stream":"x","current":{"generation":-1,"start":0},"previous":null}',
		]) {
			const directory = temporaryDirectory();
			const first = Journal.open({ directory, label: "a" });
			first.append(bytes("old"));
			first.close();
			writeFileSync(join(directory, "a.json"), broken);
			const second = Journal.open({ directory, label: "a" });
			expect(second.end).toBe(0);
			expect(second.stream).not.toBe(first.stream);
			second.close();
		}
	});

	it("drops only the scrollback when somebody removed the older segment", async () => {
		const { rmSync } = await import("node:fs");
		const directory = temporaryDirectory();
		const first = Journal.open({ directory, label: "a", segmentBytes: 4 });
		appendAll(first, bytes("abcdef"));
		first.close();
		rmSync(join(directory, "a.0.seg"));
		const second = Journal.open({ directory, label: "a", segmentBytes: 4 });
		expect([second.start, second.end, text(second)]).toEqual([4, 6, "ef"]);
		second.close();
	});

	it("leaves other consoles' files alone when it is purged, and stays readable", () => {
		const directory = temporaryDirectory();
		const one = Journal.open({ directory, label: "serial0" });
		const other = Journal.open({ directory, label: "serial01" });
		one.append(bytes("one"));
		other.append(bytes("other"));
		one.purge();
		expect(text(one)).toBe("one");
		one.close();
		other.close();
		expect(readdirSync(directory).sort()).toEqual(["serial01.0.seg", "serial01.json", "serial01.log"]);
	});

	it("refuses a label that is no label", () => {
		const directory = temporaryDirectory();
		for (const label of ["", "../x", "A", "a/b", "a".repeat(33), "1a"])
			expect(() => Journal.open({ directory, label })).toThrow(RangeError);
		expect(existsSync(join(directory, "..", "x.json"))).toBe(false);
	});

	test.prop(
		[
			fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 30 }),
			fc.array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.constantFrom("before", "after", "midway")), {
				maxLength: 8,
			}),
			fc.integer({ min: 0, max: 0xffff_ffff }),
		],
		{ numRuns: 150 },
	)("loses and repeats nothing when its process dies at any file call", (chunks, deaths, counterStart) => {
		const directory = temporaryDirectory();
		const all = Buffer.concat(chunks);
		const segmentBytes = 32;
		let consumed = 0; // what the ring's out_cons says
		let now = 0; // bytes the guest has in the ring behind it: everything
		for (const [calls, when] of [...deaths, [Number.POSITIVE_INFINITY, "before"] as const]) {
			const mortal = new MortalFiles(calls, when);
			let journal: Journal | undefined;
			try {
				journal = Journal.open({ directory, label: "a", segmentBytes, files: mortal.files });
				const counter = (counterStart + consumed) >>> 0;
				now = Math.min(2048, all.length - consumed);
				consumed += journal.adoptRing("ring", counter, now);
				while (consumed < all.length) {
					const room = journal.makeRoom(Number.POSITIVE_INFINITY);
					const written = journal.append(all.subarray(consumed, Math.min(consumed + 13, consumed + room)));
					if (mortal.dead) throw new Killed();
					consumed += written;
				}
				expect(journal.end).toBe(all.length);
				expect(text(journal)).toBe(all.subarray(journal.start).toString());
				expect(readdirSync(directory).filter((name) => name.endsWith(".seg")).length).toBeLessThanOrEqual(2);
				journal.close();
			} catch (error) {
				if (!(error instanceof Killed)) throw error;
				// Only descriptors are left to clean up.
				try {
					journal?.close();
				} catch {}
			}
		}
	});
});
