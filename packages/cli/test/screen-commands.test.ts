import { chmod, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import type { Frame } from "@bulkhead/screen";
import { decodePng, FakeScreen } from "@bulkhead/screen/testing";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { KEY_NAMES } from "../src/screen/key-names.ts";
import { openSingleForward } from "../src/screen/single-forward.ts";
import { CapturedIo, run } from "./captured-io.ts";
import { ID } from "./documents.ts";
import { FakeDaemon } from "./fake-daemon.ts";

const FRAME: Frame = { width: 40, height: 30, rgb: Uint8Array.from({ length: 3600 }, (_, at) => at % 256) };
const GUEST = { uuid: ID, name: "web" };

let daemon: FakeDaemon;
let io: CapturedIo;
let directory: string;
const bulkhead = (...args: string[]): ReturnType<typeof run> => run(io, daemon.socketPath, ...args);

beforeEach(async () => {
	io = new CapturedIo();
	daemon = await FakeDaemon.open();
	directory = dirname(daemon.socketPath);
});
afterEach(() => daemon[Symbol.asyncDispose]());

async function putScreen(): Promise<FakeScreen> {
	const path = join(directory, "screen.sock");
	const screen = await FakeScreen.open({ path, frame: FRAME });
	onTestFinished(() => screen[Symbol.asyncDispose]());
	daemon.json("GET /guests/web/screen", { guest: GUEST, socketPath: path });
	return screen;
}

/** A program in a PATH of its own. */
async function putProgram(name: string, script: string): Promise<string> {
	const folder = join(directory, "bin");
	await mkdir(folder, { recursive: true });
	const path = join(folder, name);
	await writeFile(path, `#!/bin/sh\n${script}\n`);
	await chmod(path, 0o755);
	io.env.PATH = folder;
	return path;
}

describe("screenshot", () => {
	it("writes a PNG with the screen's pixels", async () => {
		const screen = await putScreen();
		io.workingDirectory = directory;
		const path = join(directory, "web.png");
		expect(await bulkhead("screenshot", "web", "web.png")).toEqual({
			code: 0,
			out: `${path}: 40 by 30 pixels\n`,
			err: "",
		});
		expect(decodePng(await readFile(path))).toEqual(FRAME);
		await expect.poll(() => screen.viewers).toBe(0);
		io.out = "";
		const { out } = await bulkhead("--json", "screenshot", "web", path);
		expect(JSON.parse(out)).toEqual({ path, width: 40, height: 30, bytes: (await stat(path)).size });
	});

	it("writes to standard output, unless it is a terminal", async () => {
		await putScreen();
		expect((await bulkhead("screenshot", "web", "-")).code).toBe(0);
		expect(decodePng(Buffer.concat(io.outBytes)).width).toBe(40);
		io.stdout.isTTY = true;
		expect(await bulkhead("screenshot", "web", "-")).toMatchObject({ code: 2 });
	});

	it("tells why there is none", async () => {
		daemon.json("GET /guests/blind/screen", { code: "no-such-screen", message: "Guest blind has no screen" }, 404);
		expect(await bulkhead("screenshot", "blind", "/x.png")).toMatchObject({ code: 3 });
		daemon.json("GET /guests/gone/screen", { guest: GUEST, socketPath: join(directory, "none.sock") });
		expect(await bulkhead("screenshot", "gone", "/x.png")).toMatchObject({
			code: 5,
			err: expect.stringContaining("Nobody serves the screen"),
		});
		await putScreen();
		expect(await bulkhead("screenshot", "web", join(directory, "no", "where.png"))).toMatchObject({ code: 4 });
	});
});

describe("screen", () => {
	const url = `http://127.0.0.1:8006/guests/web/screen#${"s".repeat(43)}`;
	const invitation = { guest: GUEST, url, expiresInSeconds: 60 };

	it("prints the URL alone on standard output", async () => {
		daemon.json("POST /guests/web/screen", invitation);
		const { out, err } = await bulkhead("screen", "web");
		expect(out).toBe(`${url}\n`);
		expect(err).toContain("ssh -L 8006:127.0.0.1:8006");
		io.out = "";
		expect(JSON.parse((await bulkhead("--json", "screen", "web")).out)).toEqual(invitation);
	});

	it("--open gives it to a browser, not by its arguments, and leaves nothing", async () => {
		daemon.json("POST /guests/web/screen", invitation);
		const opener = await putProgram("xdg-open", `/bin/cat "$1" > ${join(directory, "seen")}`);
		expect(await bulkhead("screen", "--open", "web")).toMatchObject({ code: 0, out: "" });
		expect(await readFile(join(directory, "seen"), "utf8")).toContain(url);
		const [program = "", file = ""] = io.programs[0]?.split(" ") ?? [];
		expect(program).toBe(opener);
		expect(io.programs.join()).not.toContain("s".repeat(43));
		await expect(stat(dirname(file))).rejects.toMatchObject({ code: "ENOENT" });
	});

	it("--open without a browser asks for no URL", async () => {
		io.env.PATH = "/nonexistent";
		expect(await bulkhead("screen", "--open", "web")).toMatchObject({
			code: 1,
			err: expect.stringContaining("xdg-utils"),
		});
		expect(daemon.seen).toEqual([]);
	});

	it("tells that browsers are not served", async () => {
		daemon.json("POST /guests/web/screen", { code: "http-not-listening", message: "Browsers are not served" }, 409);
		expect(await bulkhead("screen", "web")).toMatchObject({ code: 7, out: "" });
	});
});

describe("vncviewer", () => {
	it.each([
		["xtigervncviewer", /^127\.0\.0\.1::[0-9]+$/],
		["remote-viewer", /^vnc:\/\/127\.0\.0\.1:[0-9]+$/],
		["gvncviewer", /^127\.0\.0\.1:[0-9]+$/],
	])("runs %s with an address of its own", async (name, address) => {
		await putScreen();
		const path = await putProgram(name, "exit 3");
		expect((await bulkhead("vncviewer", "-a", "web")).code).toBe(3);
		const [program, argument] = io.programs[0]?.split(" ") ?? [];
		expect(program).toBe(path);
		expect(argument).toMatch(address);
	});

	it("names the package to install when there is no viewer", async () => {
		await putScreen();
		io.env.PATH = "/nonexistent";
		expect(await bulkhead("vncviewer", "web")).toMatchObject({
			code: 1,
			err: expect.stringContaining("tigervnc-viewer"),
		});
		expect((await bulkhead("vncviewer", "--viewer", "mine", "web")).err).toContain('"mine"');
	});

	it("serves one connection, to the screen, and then no other", async () => {
		await putScreen();
		const forward = await openSingleForward(join(directory, "screen.sock"));
		onTestFinished(() => forward.close());
		const socket = connect(forward.port, "127.0.0.1");
		onTestFinished(() => void socket.destroy());
		const greeting = await new Promise<string>((resolve) => void socket.once("data", (data) => resolve(String(data))));
		expect(greeting).toBe("RFB 003.008\n");
		const other = connect(forward.port, "127.0.0.1");
		const refusal = await new Promise<Error>((resolve) => void other.once("error", resolve));
		expect(refusal).toMatchObject({ code: "ECONNREFUSED" });
		socket.destroy();
		await forward.ended();
	});
});

describe("sendkey", () => {
	const qcode = (data: string): object => ({ type: "qcode", data });
	const sent = (): unknown[] => daemon.seen.map(({ body }) => (body as { arguments: unknown }).arguments);
	beforeEach(() => daemon.json("POST /guests/web/qmp", { return: {} }));

	it("presses combinations one after the other", async () => {
		expect((await bulkhead("sendkey", "web", "ctrl-alt-delete", "0x1c", "<", "--hold", "1")).code).toBe(0);
		expect(sent()).toEqual([
			{ keys: ["ctrl", "alt", "delete"].map(qcode), "hold-time": 1 },
			{ keys: [{ type: "number", data: 0x1c }], "hold-time": 1 },
			{ keys: [qcode("less")], "hold-time": 1 },
		]);
	});

	it("types a text on a US keyboard", async () => {
		expect((await bulkhead("sendkey", "web", "--text", "Ls -l | a\\\\b\\n", "--hold", "1")).code).toBe(0);
		const shift = (name: string): object[] => [qcode("shift"), qcode(name)];
		expect(sent().map((args) => (args as { keys: unknown }).keys)).toEqual([
			shift("l"),
			...["s", "spc", "minus", "l", "spc"].map((name) => [qcode(name)]),
			shift("backslash"),
			...["spc", "a", "backslash", "b", "ret"].map((name) => [qcode(name)]),
		]);
	});

	it.each([
		[["sendkey", "web"], 2, "keys are missing"],
		[["sendkey", "web", "a", "--text", "b"], 2, "a text too"],
		[["sendkey", "web", "ctrl-alt-del"], 4, "near are delete"],
		[["sendkey", "web", "unmapped"], 4, "There is no key"],
		[["sendkey", "web", "a-"], 4, "There is no key"],
		[["sendkey", "web", "0x0"], 4, "There is no key"],
		[["sendkey", "web", "a", "nokey"], 4, "There is no key"],
		[["sendkey", "web", Array(17).fill("a").join("-")], 4, "More than 16"],
		[["sendkey", "web", "--text", "gr\u00fc\u00df"], 4, "does not have"],
		[["sendkey", "web", "--text", "\\q"], 4, "stands for nothing"],
		[["sendkey", "web", "a", "--hold", "0"], 2, "milliseconds"],
	])("refuses %j, and presses nothing", async (args, code, why) => {
		const outcome = await bulkhead(...(args as string[]));
		expect(outcome.code).toBe(code);
		expect(outcome.err).toContain(why);
		expect(daemon.seen).toEqual([]);
	});

	it("knows the keys that QEMU's recorded schema names", async () => {
		const schema = await readFile(join(import.meta.dirname, "../../qmp/src/schema/qemu.generated.ts"), "utf8");
		const [, names = ""] = /SendKeyArgumentsKeysItemOfQcodeData = (.*) \| Other;/.exec(schema) ?? [];
		expect([...KEY_NAMES]).toEqual(names.split(" | ").map((name) => JSON.parse(name) as string));
	});

	it("stops typing at Ctrl-C", async () => {
		const running = bulkhead("sendkey", "web", "--text", "x".repeat(50), "--hold", "5000");
		await expect.poll(() => daemon.seen.length).toBe(1);
		await expect.poll(() => io.listening).toBe(true);
		io.signal("SIGINT");
		expect((await running).code).toBe(130);
		expect(daemon.seen).toHaveLength(1);
	});
});

describe("qemu-monitor-command", () => {
	it("joins its words and prints QEMU's answer, made safe", async () => {
		daemon.json("POST /guests/web/qmp", { return: "VM status: running\r\nodd \u001b[2J\r\n" });
		expect(await bulkhead("qemu-monitor-command", "web", "info", "status")).toEqual({
			code: 0,
			out: "VM status: running\nodd \\u{1b}[2J\n",
			err: "",
		});
		expect(daemon.seen[0]?.body).toMatchObject({
			command: "human-monitor-command",
			arguments: { "command-line": "info status" },
		});
		io.out = "";
		expect(JSON.parse((await bulkhead("--json", "qemu-monitor-command", "web", "info status")).out)).toEqual({
			return: "VM status: running\r\nodd \u001b[2J\r\n",
		});
	});

	it("tells what is not allowed, and what is", async () => {
		const refusal = { code: "hmp-command-refused", message: "not allowed", remedy: "Allowed are info with pci" };
		daemon.json("POST /guests/web/qmp", refusal, 403);
		expect(await bulkhead("qemu-monitor-command", "web", "savevm", "x")).toMatchObject({
			code: 1,
			err: expect.stringContaining("Allowed are info with pci"),
		});
	});
});
