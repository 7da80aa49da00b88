import { createServer } from "node:net";
import { join } from "node:path";
import { BulkheadError, DeadlineError } from "@bulkhead/base";
import { fc, test } from "@fast-check/vitest";
import { describe, expect, it, onTestFinished } from "vitest";
import { REPLACED } from "../src/backend/console-backend.ts";
import { ConsoleSession } from "../src/session/console-session.ts";
import type { OpenConsoleSession } from "../src/session/open-console-session.ts";
import { FakeFrontend } from "../src/testing/index.ts";
import { ServedWorld } from "./served-world.ts";
import { temporaryDirectory } from "./temporary-directory.ts";
import { until } from "./until.ts";

interface Followed {
	session: ConsoleSession;
	output(): Buffer;
	log: string[];
}

async function open(world: ServedWorld, options: Partial<OpenConsoleSession> = {}): Promise<Followed> {
	const session = await ConsoleSession.open({
		socketPath: world.framedPath,
		guest: world.guest,
		console: "serial0",
		resumeTimeoutMs: 10_000,
		...options,
	});
	const parts: Uint8Array[] = [];
	const log: string[] = [];
	for (const event of ["lost", "resumed", "restarted", "gap", "writer", "input-dropped", "ended", "end", "error"])
		session.on(event, (...args: unknown[]) => log.push([event, ...args].join(" ")));
	session.on("data", (chunk) => parts.push(chunk as Uint8Array));
	onTestFinished(() => void session.destroy());
	return { session, output: () => Buffer.concat(parts), log };
}

describe("ConsoleSession", () => {
	it("carries output and input", async () => {
		const world = await ServedWorld.start();
		const { session, output } = await open(world);
		expect(session.writer).toBe(true);
		world.frontend.write(Buffer.from("login: "));
		await until("output", () => output().toString() === "login: ");
		session.write("root\n");
		await until("input", () => Buffer.from(world.frontend.received).toString() === "root\n");
	});

	it("begins where it is told to", async () => {
		const world = await ServedWorld.start({ segmentBytes: 1 << 20 });
		const early = Buffer.alloc(40_000, "x");
		early.write("BEGIN");
		world.frontend.write(early);
		await until("recorded", () => world.console.backend.journal.end === early.length);
		const start = await open(world, { from: "start", input: false });
		const live = await open(world, { from: "live", input: false });
		const tail = await open(world, { from: "tail", input: false });
		const offset = await open(world, { from: 39_999, input: false });
		world.frontend.write(Buffer.from("!"));
		await until("start", () => start.output().length === 40_001);
		await until("offset", () => offset.output().length === 2);
		await until("tail", () => tail.output().length === 16 * 1024 + 1);
		await until("live", () => live.output().toString() === "!");
		expect(start.output().subarray(0, 5).toString()).toBe("BEGIN");
		expect(start.session.writer).toBe(false);
	});

	it("tells how many bytes the journal no longer has", async () => {
		const world = await ServedWorld.start({ segmentBytes: 1000 });
		world.frontend.write(Buffer.alloc(5500));
		await until("recorded", () => world.console.backend.journal.end === 5500);
		const { output, log, session } = await open(world, { from: 100, input: false });
		await until("the rest", () => output().length === 1500);
		expect(log).toContain("gap 3900");
		expect(session.offset).toBe(5500);
	});

	it("hands the writer's seat on", async () => {
		const world = await ServedWorld.start();
		const first = await open(world);
		const second = await open(world);
		expect([first.session.writer, second.session.writer]).toEqual([true, false]);
		second.session.write("not mine");
		expect(second.log).toEqual(["input-dropped 8"]);
		first.session.write("one ");
		await until("first's input", () => world.frontend.received.length === 4);
		first.session.destroy();
		await until("second's turn", () => second.session.writer);
		second.session.write("two");
		await until("second's input", () => Buffer.from(world.frontend.received).toString() === "one two");
	});

	it("finishes only when the guest has taken everything", async () => {
		const world = await ServedWorld.start();
		world.frontend.takesInput = false;
		const { session } = await open(world);
		let finished = false;
		session.end(Buffer.alloc(3000, "i"), () => {
			finished = true;
		});
		await until("a full ring", () => world.console.backend.input.counterAfterQueue === 3000);
		expect(finished).toBe(false);
		world.frontend.takeInput();
		await until("more", () => world.console.backend.input.counter === 2048);
		expect(finished).toBe(false);
		world.frontend.takesInput = true;
		world.frontend.takeInput();
		await until("finished", () => finished);
		expect(world.frontend.received.length).toBe(3000);
	});

	it("slows a client down that types more than the guest takes", async () => {
		const world = await ServedWorld.start();
		world.frontend.takesInput = false;
		const { session } = await open(world);
		let accepted = 0;
		const pushMore = (): void => {
			while (session.write(Buffer.alloc(1000)) && accepted < 10_000_000) accepted += 1000;
			session.once("drain", pushMore);
		};
		pushMore();
		await until("full everywhere", () => !world.console.backend.input.hasRoom || session.writableNeedDrain);
		expect(accepted).toBeLessThan(1_000_000);
		expect(world.console.backend.input.counterAfterQueue).toBeLessThan(300_000);
	});

	it("lets the guest wait for a client that does not read", async () => {
		const world = await ServedWorld.start({ segmentBytes: 8192 });
		const session = await ConsoleSession.open({ socketPath: world.framedPath, guest: world.guest, console: "serial0" });
		onTestFinished(() => void session.destroy());
		const all = Buffer.alloc(2_000_000, "abcdefghijk");
		world.frontend.write(all);
		await until("the guest waits", () => world.console.backend.blocked);
		let length = 0;
		const chunks: AsyncIterable<Buffer> = session;
		for await (const chunk of chunks) {
			expect(all.subarray(length, length + chunk.length).equals(chunk)).toBe(true);
			length += chunk.length;
			if (length === all.length) break;
		}
	});

	it("gets the last words and the reason when the console ends", async () => {
		const world = await ServedWorld.start();
		const { log, output } = await open(world);
		world.frontend.write(Buffer.from("bye"));
		await world.console.close("detached");
		await until("the end", () => log.includes("end"));
		expect(output().toString()).toBe("bye");
		expect(log).toEqual(["ended detached", "end"]);
	});

	test.prop(
		[
			fc.array(fc.integer({ min: 1, max: 6000 }), { minLength: 2, maxLength: 6 }),
			fc.integer({ min: 0, max: 0xffff_ffff }),
		],
		{
			numRuns: 12,
		},
	)("survives the death of the relay without losing or repeating a byte, both ways", async (sizes, startAt) => {
		const world = await ServedWorld.start({ startAt });
		const { session, output, log } = await open(world, { from: "start" });
		const out: Buffer[] = [];
		const typed: Buffer[] = [];
		for (const [index, size] of sizes.entries()) {
			const printed = Buffer.alloc(size, `out${index}-`);
			out.push(printed);
			world.frontend.write(printed);
			const line = Buffer.alloc(size, `in${index}-`);
			typed.push(line);
			session.write(line);
			if (index % 2 === 1) await new Promise(setImmediate);
			world.kill();
			await world.serve();
		}
		const expectedOut = Buffer.concat(out);
		const expectedIn = Buffer.concat(typed);
		await until("all output", () => output().length >= expectedOut.length);
		await until("all input", () => world.frontend.received.length >= expectedIn.length);
		expect(output().equals(expectedOut)).toBe(true);
		expect(expectedIn.equals(world.frontend.received)).toBe(true);
		expect(log.filter((line) => line !== "lost" && line !== "resumed" && !line.startsWith("writer"))).toEqual([]);
	});

	it("goes on with the guest's next ring, and drops input meant for the last one", async () => {
		const world = await ServedWorld.start();
		world.frontend.takesInput = false;
		const { session, output, log } = await open(world, { from: "start" });
		world.frontend.write(Buffer.from("old"));
		session.write(Buffer.alloc(1500, "x"));
		await until("a full ring", () => world.console.backend.input.counter === 1024);
		const closing = world.console.close(REPLACED);
		const next = new FakeFrontend(world.host, { domid: 8, gref: 11, port: 4 });
		await world.serve(next);
		next.write(Buffer.from("new"));
		await until("the new ring's output", () => output().toString() === "oldnew");
		await closing;
		expect(log.some((line) => line.startsWith("input-dropped"))).toBe(true);
		session.write("y");
		await until("the new ring's input", () => Buffer.from(next.received).toString() === "y");
	});

	it("says when the console is not there", async () => {
		const world = await ServedWorld.start();
		const error = await ConsoleSession.open({
			socketPath: world.framedPath,
			guest: world.guest,
			console: "serial9",
		}).catch((caught: unknown) => caught);
		expect(error).toBeInstanceOf(BulkheadError);
		expect((error as BulkheadError).code).toBe("no-such-console");
	});

	it("says when there is no relay, and when it stays away", async () => {
		const world = await ServedWorld.start();
		const nobody = await ConsoleSession.open({
			socketPath: join(world.directory, "nobody.sock"),
			guest: world.guest,
			console: "serial0",
		}).catch((caught: unknown) => caught);
		expect((nobody as BulkheadError).code).toBe("relay-unreachable");
		const { session, log } = await open(world, { resumeTimeoutMs: 200 });
		const failed = new Promise<Error>((resolve) => session.once("error", resolve));
		world.kill();
		expect(await failed).toBeInstanceOf(DeadlineError);
		expect(log[0]).toBe("lost");
		await world.serve();
	});

	for (const [what, bytes] of [
		["an answer that is not JSON", "hello\n"],
		["an answer without an offset", '{"ok":true,"stream":"s","ring":"r","inputOffset":0,"writer":true}\n'],
		["an endless line", "x".repeat(9000)],
	] as const)
		it(`gives up on ${what}`, async () => {
			const path = join(temporaryDirectory(), "s.sock");
			const server = createServer((socket) => {
				socket.on("error", () => {});
				socket.write(bytes);
			}).listen(path);
			onTestFinished(() => void server.close());
			await expect(
				ConsoleSession.open({ socketPath: path, guest: (await ServedWorld.start()).guest, console: "serial0" }),
			).rejects.toThrow(/Console/);
		});
});
