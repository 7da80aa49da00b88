import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CapturedIo, run } from "./captured-io.ts";
import { DETAILS, GUEST, ID } from "./documents.ts";
import { FakeDaemon } from "./fake-daemon.ts";
import { FakeRelay } from "./fake-relay.ts";

const OTHER_ID = "99112233-4455-6677-8899-aabbccddeeff";
const NO_GUEST = { code: "no-such-guest", message: "There is no such guest" };
const SERVED = [{ label: "serial0", kind: "serial" as const, socketPath: "/run/serial0.sock" }];

let daemon: FakeDaemon;
let relay: FakeRelay;
let io: CapturedIo;
let rawModes: boolean[];
const bulkhead = (...args: string[]): ReturnType<typeof run> => run(io, daemon.socketPath, ...args);

beforeEach(async () => {
	io = new CapturedIo();
	rawModes = [];
	daemon = await FakeDaemon.open();
	daemon.json("GET /guests/web", DETAILS);
	daemon.json(`GET /guests/${ID}`, DETAILS);
	relay = await FakeRelay.open(join(dirname(daemon.socketPath), "console.sock"));
	io.env.BULKHEAD_CONSOLE_SOCKET = relay.path;
});
afterEach(async () => {
	expect(io.listening).toBe(false);
	await relay[Symbol.asyncDispose]();
	await daemon[Symbol.asyncDispose]();
});

function useTerminal(): void {
	io.stdin.isTTY = true;
	io.stdin.setRawMode = (raw) => void rawModes.push(raw);
}

describe("bulkhead console", () => {
	it("joins a terminal with the first serial port until Ctrl-], and sets the terminal back", async () => {
		useTerminal();
		const running = bulkhead("console", "web");
		await io.until(() => io.out.includes("login: "));
		io.stdin.write("ro");
		io.stdin.write("ot\r\u001dlost");
		expect(await running).toMatchObject({ code: 0, out: "login: " });
		expect(relay.asked).toEqual([{ guest: ID, console: "serial0", from: "live", input: true }]);
		expect(rawModes).toEqual([true, false]);
		expect(io.err).toContain("[web's console serial0; Ctrl-] detaches]");
	});

	it("names the pty of a serial port that a QEMU in domain 0 serves itself", async () => {
		const consoles = [{ label: "serial0", kind: "serial" as const, ptyPath: "/dev/pts/4" }];
		daemon.json("GET /guests/web", { ...DETAILS, stub: undefined, localQemu: { pid: 7, state: "running" }, consoles });
		const { code, err } = await bulkhead("console", "web");
		expect(code).not.toBe(0);
		expect(err).toContain("served by its QEMU in domain 0, on /dev/pts/4");
		expect(relay.asked).toEqual([]);
	});

	it("sends what was typed", async () => {
		const running = bulkhead("console", "web");
		await io.until(() => io.out.includes("login: "));
		io.stdin.end("root\n\u001d");
		const { typed } = await typedText(relay, "root\n\u001d");
		daemon.json(`GET /guests/${ID}`, NO_GUEST, 404);
		relay.end("guest destroyed\u001b");
		const { code, err } = await running;
		// Without a terminal Ctrl-] is a byte like any other.
		expect({ code, typed }).toEqual({ code: 0, typed: "root\n\u001d" });
		expect(err).toBe(
			"[web's console serial0: guest destroyed\\u{1b}; waiting for the guest to come back]\n" +
				"[web's console serial0 ended: guest destroyed\\u{1b}]\n",
		);
	});

	it("goes on when the guest reboots, from the next byte on", async () => {
		const running = bulkhead("console", "web");
		await io.until(() => io.out.includes("login: "));
		daemon.json(`GET /guests/${ID}`, { ...DETAILS, phase: "dying", consoles: [{ label: "serial0", kind: "serial" }] });
		relay.end("detached");
		await io.until(() => io.err.includes("waiting for the guest to come back"));
		daemon.json(`GET /guests/${ID}`, { ...DETAILS, consoles: SERVED });
		await io.until(() => io.err.includes("its guest has rebooted"));
		expect(relay.asked.map(({ from }) => from)).toEqual(["live", 7]);
		io.stdin.write("again");
		await typedText(relay, "again");
		io.signal("SIGINT");
		expect((await running).code).toBe(130);
	});

	it.each([
		["when it is told not to wait", ["--no-reconnect"]],
		["when the guest is gone for good", []],
	])("ends %s", async (_, flags) => {
		const running = bulkhead("console", ...flags, "web");
		await io.until(() => io.out.includes("login: "));
		daemon.json(`GET /guests/${ID}`, NO_GUEST, 404);
		relay.end("detached");
		const { code, err } = await running;
		expect(code).toBe(0);
		expect(err).toMatch(/\[web's console serial0 ended: detached\]\n$/);
		expect(relay.asked).toHaveLength(1);
	});

	it("sends all of a pipe and leaves when the guest has been silent for a while", async () => {
		const running = bulkhead("console", "--idle", "0.2", "web");
		await io.until(() => io.out.includes("login: "));
		io.stdin.end("date\n");
		await typedText(relay, "date\n");
		relay.print("Thu Nov 26");
		expect(await running).toMatchObject({ code: 0, out: "login: Thu Nov 26", err: "" });
	});

	it("waits for the text, however long the guest is silent behind a pipe", async () => {
		const running = bulkhead("console", "--idle", "0.01", "--until", "ok", "web");
		await io.until(() => io.out.includes("login: "));
		io.stdin.end("make\n");
		await typedText(relay, "make\n");
		await new Promise((resolve) => setTimeout(resolve, 100));
		relay.print("it is ok");
		expect((await running).code).toBe(0);
	});

	it("follows when there is nothing on its input, and leaves when its terminal is gone", async () => {
		const running = bulkhead("console", "--idle", "0.01", "web");
		io.stdin.end();
		await io.until(() => io.out.includes("login: "));
		relay.print("later");
		await io.until(() => io.out.includes("later"));
		io.signal("SIGTERM");
		expect((await running).code).toBe(143);
	});

	it("leaves when its terminal hangs up, and takes another key to detach", async () => {
		useTerminal();
		const hangUp = bulkhead("console", "web");
		await io.until(() => io.out.includes("login: "));
		io.stdin.end();
		expect((await hangUp).code).toBe(0);
		expect(rawModes).toEqual([true, false]);

		io = new CapturedIo();
		io.env.BULKHEAD_CONSOLE_SOCKET = relay.path;
		useTerminal();
		const other = bulkhead("console", "-e", "^a", "web");
		await io.until(() => io.out.includes("login: "));
		io.stdin.write("\u001d\u0001lost");
		expect(await other).toMatchObject({ code: 0, err: expect.stringContaining("Ctrl-A detaches") });
		expect(await typedText(relay, "\u001d")).toMatchObject({ typed: "\u001d" });
	});

	it("refuses an escape key that is none", async () => {
		for (const key of ["", "ab", "^1", "é"]) expect((await bulkhead("console", "-e", key, "web")).code).toBe(2);
	});

	it("--log prints what is kept and leaves, typing nothing", async () => {
		io.stdin.end("not read");
		const { code, out } = await bulkhead("console", "--log", "web");
		expect({ code, out, typed: relay.typed }).toEqual({ code: 0, out: "login: ", typed: "" });
		expect(relay.asked).toEqual([{ guest: ID, console: "serial0", from: "start", input: false }]);
	});

	it("finds another toolstack's domain on a host whose consoles are all the relay's", async () => {
		const other = { domid: 9, uuid: OTHER_ID, name: "theirs", label: "pv", socketPath: "/run/9.sock" };
		daemon.json("GET /host/consoles", [other, { ...other, domid: 10, name: "broken", problem: "EINVAL" }]);
		for (const name of ["theirs", "9", "broken"]) daemon.json(`GET /guests/${name}`, NO_GUEST, 404);
		for (const ref of ["theirs", "9"]) {
			io = new CapturedIo();
			io.env.BULKHEAD_CONSOLE_SOCKET = relay.path;
			const running = bulkhead("console", ref);
			await io.until(() => io.out.includes("login: "));
			io.signal("SIGINT");
			expect((await running).code).toBe(130);
		}
		expect(relay.asked.map(({ guest, console }) => [guest, console])).toEqual([
			[OTHER_ID, "pv"],
			[OTHER_ID, "pv"],
		]);
		expect(await bulkhead("console", "broken")).toMatchObject({ code: 1, err: expect.stringContaining("EINVAL") });
		expect(await bulkhead("console", "-t", "serial", "theirs")).toMatchObject({ code: 3 });
	});

	it("passes output through byte by byte until the end", async () => {
		const running = bulkhead("console", "web", "--tail");
		await io.until(() => io.out.includes("login: "));
		relay.print("\u001b[1mbold");
		daemon.json(`GET /guests/${ID}`, NO_GUEST, 404);
		relay.end("over");
		expect((await running).out).toBe("login: \u001b[1mbold");
		expect(relay.asked[0]?.from).toBe("tail");
	});

	it.each([
		[["-t", "stub"], { console: "stub", input: false }],
		[["-t", "pv"], { console: "pv", input: true }],
		[["-t", "serial", "--from", "start"], { console: "serial0", from: "start" }],
		[["-r"], { console: "serial0", input: false }],
	])("%j chooses %j; Ctrl-C leaves", async (flags, expected) => {
		const running = bulkhead("console", ...flags, "web");
		await io.until(() => io.out.includes("login: "));
		io.signal("SIGINT");
		expect((await running).code).toBe(130);
		expect(relay.asked[0]).toMatchObject(expected);
	});

	it("--until leaves when the text has come, however it was cut", async () => {
		const running = bulkhead("console", "web", "--until", "all-9");
		await io.until(() => io.out.includes("login: "));
		for (const part of ["al", "al", "l-", "9", "!"]) relay.print(part);
		expect((await running).code).toBe(0);
		expect(io.out).toMatch(/^login: alall-9/);
	});

	it("--until fails when the console ends before", async () => {
		const running = bulkhead("console", "web", "--no-reconnect", "--until", "all-9");
		await io.until(() => io.out.includes("login: "));
		relay.end("destroyed");
		expect(await running).toMatchObject({
			code: 1,
			err: expect.stringContaining("The text did not come before web's"),
		});
	});

	it("knows which consoles there are", async () => {
		expect(await bulkhead("console", "-n", "1", "web")).toEqual({
			code: 3,
			out: "",
			err: "bulkhead: Guest web has no console serial1\nremedy: It has pv, stub, serial0\n",
		});
	});

	it("takes the PV console of a guest without serial ports", async () => {
		daemon.json("GET /guests/db", { ...DETAILS, consoles: [{ label: "pv", kind: "pv" }] });
		const running = bulkhead("console", "db");
		await io.until(() => io.out.includes("login: "));
		io.signal("SIGTERM");
		expect((await running).code).toBe(143);
		expect(relay.asked[0]?.console).toBe("pv");
	});

	it("tells when the relay is not there", async () => {
		io.env.BULKHEAD_CONSOLE_SOCKET = "/nonexistent/console.sock";
		expect(await bulkhead("console", "web")).toMatchObject({
			code: 5,
			err: expect.stringContaining("bulkhead: Cannot reach the relay at /nonexistent/console.sock"),
		});
	});

	it("follows create -c, from the first byte on", async () => {
		daemon.lines("POST /guests", { type: "result", guest: GUEST });
		const running = bulkhead("create", "-c", "/dev/null");
		await io.until(() => io.out.includes("login: "));
		daemon.json(`GET /guests/${ID}`, NO_GUEST, 404);
		relay.end("over");
		expect((await running).code).toBe(0);
		expect(relay.asked[0]).toMatchObject({ guest: ID, from: "start" });
	});
});

/** Waits until the relay has heard the text; the test's own timeout is the deadline. */
async function typedText(from: FakeRelay, text: string): Promise<{ typed: string }> {
	while (from.typed.length < text.length) await new Promise((resolve) => setImmediate(resolve));
	return from;
}
