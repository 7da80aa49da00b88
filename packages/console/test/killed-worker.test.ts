import { setTimeout as pause } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { expect, it, onTestFinished } from "vitest";
import { Journal } from "../src/journal/journal.ts";
import { CONSOLE_PAGE as PAGE } from "../src/ring/layout.ts";
import { bundledWorker } from "./bundled-worker.ts";
import { temporaryDirectory } from "./temporary-directory.ts";
import { until } from "./until.ts";

const SEGMENT_BYTES = 16 * 1024;
const KILLS = 10;

it("a backend that is killed at random instants, mid-copy included, loses and repeats nothing", async () => {
	const page = new SharedArrayBuffer(4096);
	const words = new Uint32Array(page);
	const bytes = new Uint8Array(page);
	const directory = temporaryDirectory();
	const program = await bundledWorker("backend-worker", directory);
	let printed = 0;
	let enough = false;
	const byteAt = (offset: number): number => (Math.imul(offset, 2654435761) >>> 13) & 0xff;
	/** The guest: fills the ring whenever there is room. */
	const print = (worker: Worker): void => {
		const used = (Atomics.load(words, PAGE.outputProduced) - Atomics.load(words, PAGE.outputConsumed)) >>> 0;
		expect(used).toBeLessThanOrEqual(PAGE.outputBytes);
		const count = enough ? 0 : PAGE.outputBytes - used;
		for (let at = printed; at < printed + count; at++) bytes[PAGE.outputOffset + (at % PAGE.outputBytes)] = byteAt(at);
		printed += count;
		Atomics.store(words, PAGE.outputProduced, printed);
		if (count > 0) worker.postMessage("event");
	};
	const start = async (): Promise<Worker> => {
		const worker = new Worker(program, {
			workerData: { page, directory, segmentBytes: SEGMENT_BYTES },
		});
		onTestFinished(async () => void (await worker.terminate()));
		await new Promise<void>((resolve, reject) => worker.once("message", resolve).once("error", reject));
		worker.on("message", () => print(worker));
		print(worker);
		return worker;
	};
	for (let kill = 0; kill < KILLS; kill++) {
		const worker = await start();
		await pause(Math.random() * 15);
		await worker.terminate();
	}
	const last = await start();
	enough = true;
	await until("everything taken", () => Atomics.load(words, PAGE.outputConsumed) === printed, 60_000);
	await last.terminate();

	const journal = Journal.open({ directory, label: "serial0", segmentBytes: SEGMENT_BYTES });
	onTestFinished(() => journal.close());
	expect(journal.end).toBe(printed);
	expect(printed).toBeGreaterThan(KILLS * PAGE.outputBytes);
	expect(journal.end - journal.start).toBeGreaterThanOrEqual(SEGMENT_BYTES);
	for (let at = journal.start; at < journal.end; ) {
		const part = journal.read(at, 4096);
		expect(part.every((byte, index) => byte === byteAt(at + index))).toBe(true);
		at += part.length;
	}
}, 120_000);
