import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CapturedIo, run } from "./captured-io.ts";
import { GUEST } from "./documents.ts";
import { FakeDaemon } from "./fake-daemon.ts";

const TEXT = 'name = "web"\n';
const progress = (step: string, state: string, ms = 0): object => ({
	type: "progress",
	step,
	title: `Doing ${step}`,
	state,
	ms,
});

let daemon: FakeDaemon;
let io: CapturedIo;
let directory: string;
let file: string;
const bulkhead = (...args: string[]): ReturnType<typeof run> => run(io, daemon.socketPath, ...args);

beforeEach(async () => {
	io = new CapturedIo();
	daemon = await FakeDaemon.open();
	directory = await mkdtemp(join(tmpdir(), "bulkhead-create-"));
	file = join(directory, "web.cfg");
	await writeFile(file, TEXT);
});
afterEach(async () => {
	expect(io.listening).toBe(false);
	await daemon[Symbol.asyncDispose]();
	await rm(directory, { recursive: true });
});

describe("bulkhead create", () => {
	it("sends the file, the assignments and where it stands", async () => {
		daemon.lines("POST /guests", { type: "result", guest: GUEST });
		await bulkhead("create", "-p", file, "memory=512", "disk+=['x']");
		expect(daemon.seen[0]?.body).toEqual({
			configText: TEXT,
			file,
			baseDir: "/base",
			overrides: ["memory=512", "disk+=['x']"],
			paused: true,
			dryRun: false,
		});
		expect(daemon.seen[0]?.headers["x-bulkhead-operation"]).toMatch(/^[0-9a-f-]{36}$/);
	});

	it("tells of steps and warnings on standard error, of the guest on standard output", async () => {
		daemon.lines(
			"POST /guests",
			{ type: "warning", message: "web.cfg:1:1: careful\u0007" },
			progress("build", "start"),
			progress("build", "done", 1234),
			{ type: "result", guest: GUEST },
		);
		expect(await bulkhead("create", file)).toEqual({
			code: 0,
			out: "web created: domain 5, stub domain 6\n",
			err: "warning: web.cfg:1:1: careful\\u{7}\nDoing build (1.23 s)\n",
		});
	});

	it("updates one line on a terminal and wipes it", async () => {
		io.stderr.isTTY = true;
		io.stderr.columns = 30;
		daemon.lines(
			"POST /guests",
			progress("a", "start"),
			progress("b", "start"),
			progress("a", "done"),
			progress("b", "done"),
			{ type: "result", guest: GUEST },
		);
		const wipe = "\r\u001b[K";
		expect((await bulkhead("create", file)).err).toBe(
			`${wipe}Doing a${wipe}Doing b (and 1 more)${wipe}Doing b${wipe}${wipe}`,
		);
	});

	it("--json prints one document with guest and warnings", async () => {
		daemon.lines("POST /guests", { type: "warning", message: "w" }, progress("a", "start"), {
			type: "result",
			guest: GUEST,
		});
		const { code, out, err } = await bulkhead("--json", "create", file);
		expect({ code, err, value: JSON.parse(out) }).toEqual({
			code: 0,
			err: "",
			value: { guest: GUEST, warnings: ["w"] },
		});
	});

	it("--dry-run prints the plan", async () => {
		const plan = [{ name: "create-domain", role: "guest", maxVcpus: 2 }, { name: "start-guest" }];
		daemon.lines("POST /guests", { type: "result", plan });
		expect((await bulkhead("create", "-n", file)).out).toBe("create-domain role=guest maxVcpus=2\nstart-guest\n");
		expect(daemon.seen[0]?.body).toMatchObject({ dryRun: true });
	});

	it("reads standard input", async () => {
		daemon.lines("POST /guests", { type: "result", guest: GUEST });
		io.stdin.end(TEXT);
		expect((await bulkhead("create", "-")).code).toBe(0);
		expect(daemon.seen[0]?.body).toMatchObject({ configText: TEXT, file: "standard input" });
	});

	it.each([
		["no-such-file.cfg", "does not exist"],
		[".", "is a directory"],
	])("refuses %s before it asks the daemon", async (name, why) => {
		const { code, err } = await bulkhead("create", join(directory, name));
		expect(code).toBe(4);
		expect(err).toContain(why);
		expect(err).toContain("remedy: Give the path of a guest's config file");
		expect(daemon.seen).toEqual([]);
	});

	it("refuses a file that is no text", async () => {
		await writeFile(file, Buffer.from([0x61, 0xff]));
		expect(await bulkhead("create", file)).toMatchObject({
			code: 4,
			err: expect.stringContaining("is not UTF-8 text"),
		});
	});

	it("prints every problem of a config, each with its place and remedy", async () => {
		const problems = [
			{ file: "web.cfg", line: 3, column: 1, message: "Key memroy is not known", remedy: "Did you mean memory?" },
			{ file: "web.cfg", line: 4, column: 8, message: "Key acpi takes 0 or 1" },
		];
		daemon.json(
			"POST /guests",
			{ code: "bad-guest-config", message: "web.cfg:3:1: … (and 1 more)", fields: { problems } },
			400,
		);
		expect(await bulkhead("create", file)).toEqual({
			code: 4,
			out: "",
			err: [
				"bulkhead: web.cfg:3:1: Key memroy is not known",
				"remedy: Did you mean memory?",
				"bulkhead: web.cfg:4:8: Key acpi takes 0 or 1",
				"",
			].join("\n"),
		});
	});

	it("tells which step failed, why, and what was undone", async () => {
		const error = {
			code: "device-model-failed",
			message: "Waiting for QEMU failed",
			cause: { code: "device-model-failed", message: "QEMU ended\u001b[0m", remedy: "See the log" },
		};
		daemon.lines("POST /guests", progress("wait", "start"), progress("wait", "failed"), progress("build", "undone"), {
			type: "error",
			error,
		});
		const { code, err } = await bulkhead("create", file);
		expect(code).toBe(1);
		expect(err).toBe(
			[
				"failed: Doing wait",
				"undone: Doing build",
				"bulkhead: Waiting for QEMU failed",
				"  because: QEMU ended\\u{1b}[0m",
				"remedy: See the log",
				"",
			].join("\n"),
		);
	});

	it("is a failure when the stream ends without a result", async () => {
		daemon.lines("POST /guests", progress("build", "start"));
		expect(await bulkhead("create", file)).toMatchObject({
			code: 5,
			err: expect.stringContaining("bulkheadd broke off before it had finished"),
		});
	});

	it("is a failure when the connection is cut in the middle", async () => {
		daemon.on("POST /guests", (_, response) => {
			response.writeHead(200).write(`${JSON.stringify(progress("build", "start"))}\n`, () => response.destroy());
		});
		expect((await bulkhead("create", file)).code).toBe(5);
	});

	describe("on Ctrl-C", () => {
		let stream: ServerResponse;
		const begin = (): void => {
			daemon.on("POST /guests", (_, response) => {
				stream = response;
				response.writeHead(200).write(`${JSON.stringify(progress("build", "done"))}\n`);
			});
		};

		it("asks the daemon to undo, waits for its word and exits with 130", async () => {
			begin();
			daemon.on("DELETE /operations/*", ({ path }, response) => {
				expect(path).toBe(`/operations/${String(daemon.seen[0]?.headers["x-bulkhead-operation"])}`);
				response.end("{}");
				stream.write(`${JSON.stringify(progress("build", "undone"))}\n`);
				stream.end(
					`${JSON.stringify({ type: "error", error: { code: "cancelled", message: "Create was cancelled" } })}\n`,
				);
			});
			const running = bulkhead("create", file);
			await io.until(() => io.err.includes("Doing build"));
			io.signal("SIGINT");
			const { code, err } = await running;
			expect(code).toBe(130);
			expect(err.split("\n").slice(1)).toEqual([
				"Cancelling: waiting until bulkheadd has undone what it began (Ctrl-C again: do not wait)",
				"undone: Doing build",
				"bulkhead: Interrupted",
				"  because: Create was cancelled",
				"",
			]);
		});

		it("drops the connection when the daemon cannot cancel by request", async () => {
			begin();
			const running = bulkhead("create", file);
			await io.until(() => io.err.includes("Doing build"));
			const dropped = new Promise((resolve) => stream.once("close", resolve));
			io.signal("SIGTERM");
			await dropped;
			expect((await running).code).toBe(143);
		});

		it("does not wait after the second", async () => {
			begin();
			daemon.on("DELETE /operations/*", (_, response) => void response.end("{}"));
			const running = bulkhead("create", file);
			await io.until(() => io.err.includes("Doing build"));
			io.signal("SIGINT");
			io.signal("SIGINT");
			expect((await running).code).toBe(130);
		});
	});
});

describe("bulkhead dump-core", () => {
	it("sends the whole path, and tells how large the core is", async () => {
		const path = resolve(io.workingDirectory, "web.core");
		daemon.lines("POST /guests/web/dump-core", { type: "result", path, bytes: 5 << 20 });
		expect(await bulkhead("dump-core", "web", "web.core")).toEqual({ code: 0, out: `${path}: 5 MiB\n`, err: "" });
		expect(daemon.seen[0]?.body).toEqual({ path });
		io.out = "";
		expect(JSON.parse((await bulkhead("--json", "dump-core", "web", path)).out)).toEqual({ path, bytes: 5 << 20 });
	});
});

describe("bulkhead destroy and shutdown", () => {
	it("destroy shows the steps and tells the end", async () => {
		daemon.lines("DELETE /guests/web", progress("destroy-domain", "done", 10), { type: "result", guest: GUEST });
		expect(await bulkhead("destroy", "web")).toEqual({
			code: 0,
			out: "web destroyed\n",
			err: "Doing destroy-domain (0.01 s)\n",
		});
	});

	it.each([
		[[], { wait: false, timeoutMs: 120_000, force: false }, {}, "web was asked to shut down (qmp)\n"],
		[["-w"], { wait: true, timeoutMs: 120_000, force: false }, { ended: "poweroff" }, "web ended: poweroff\n"],
		[["-t", "2.5"], { wait: true, timeoutMs: 2500, force: false }, { ended: "poweroff" }, "web ended: poweroff\n"],
		[["-F"], { wait: true, timeoutMs: 120_000, force: true }, { ended: "destroyed" }, "web ended: destroyed\n"],
	])("shutdown %j sends %j", async (flags, body, extra, sentence) => {
		daemon.lines("POST /guests/web/shutdown", { type: "result", guest: GUEST, asked: "qmp", ...extra });
		expect(await bulkhead("shutdown", ...flags, "web")).toEqual({ code: 0, out: sentence, err: "" });
		expect(daemon.seen[0]?.body).toEqual(body);
		io.out = "";
		const { out } = await bulkhead("--json", "shutdown", ...flags, "web");
		expect(JSON.parse(out)).toEqual({ guest: GUEST, asked: "qmp", ...extra });
	});
});
