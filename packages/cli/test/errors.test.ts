import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EXIT_CODES } from "../src/index.ts";
import { CapturedIo, run } from "./captured-io.ts";
import { FakeDaemon } from "./fake-daemon.ts";

let daemon: FakeDaemon;
let io: CapturedIo;
const bulkhead = (...args: string[]): ReturnType<typeof run> => run(io, daemon.socketPath, ...args);

beforeEach(async () => {
	io = new CapturedIo();
	daemon = await FakeDaemon.open();
});
afterEach(() => daemon[Symbol.asyncDispose]());

const COMMANDS = [
	["list", "g"],
	["list", "-l", "g"],
	["domid", "g"],
	["domname", "g"],
	["uptime", "g"],
	["console", "g"],
	["reboot", "g"],
	["pause", "g"],
	["unpause", "g"],
	["rename", "g", "h"],
	["qmp", "g", "stop"],
	["qmp", "g", "--watch"],
	["block-list", "g"],
	["block-attach", "g", "/a,raw,xvdb"],
	["block-detach", "g", "xvdb"],
	["cd-insert", "g", "hdc", "/a.iso"],
	["cd-eject", "g", "hdc"],
	["screen", "g"],
	["vncviewer", "g"],
	["screenshot", "g", "g.png"],
	["sendkey", "g", "ret"],
	["qemu-monitor-command", "g", "info"],
	["events", "g"],
	["destroy", "g"],
	["shutdown", "g"],
];

describe("an error of the daemon", () => {
	const error = { code: "no-such-guest", message: "There is no guest g", remedy: "See bulkhead list" };
	beforeEach(() => {
		const routes = [
			"GET /guests/g",
			"DELETE /guests/g",
			"GET /events?guest=g",
			"GET /guests/g/disks",
			"GET /guests/g/screen",
			"DELETE /guests/g/disks/xvdb",
		];
		const actions = [
			"reboot",
			"pause",
			"unpause",
			"rename",
			"qmp",
			"screen",
			"shutdown",
			"disks",
			"disks/hdc/medium",
		].map((action) => `POST /guests/g/${action}`);
		for (const route of [...routes, ...actions]) daemon.json(route, error, 404);
	});

	it.each(COMMANDS)("is told by %s %s %s %s", async (...args) => {
		expect(await bulkhead(...args.filter((arg) => arg !== undefined))).toEqual({
			code: 3,
			out: "",
			err: "bulkhead: There is no guest g\nremedy: See bulkhead list\n",
		});
	});

	it.each(COMMANDS)("is told as JSON by %s %s %s %s", async (...args) => {
		const { code, out, err } = await bulkhead("--json", ...args.filter((arg) => arg !== undefined));
		expect({ code, err, value: JSON.parse(out) }).toEqual({ code: 3, err: "", value: { error } });
	});
});

describe("a daemon that is not there", () => {
	it.each([...COMMANDS, ["list"], ["info"], ["dmesg"], ["events"]])("is told by %s %s %s %s", async (...args) => {
		const outcome = await run(io, "/nonexistent/d.sock", ...args.filter((arg) => arg !== undefined));
		expect(outcome).toEqual({
			code: 5,
			out: "",
			err: [
				"bulkhead: Cannot reach bulkheadd at /nonexistent/d.sock: there is no such socket",
				"  because: connect ENOENT /nonexistent/d.sock",
				"remedy: Start it: systemctl start bulkheadd",
				"",
			].join("\n"),
		});
	});

	it("is told apart from a socket that nobody serves and from a file", async () => {
		const path = join(dirname(daemon.socketPath), "file");
		await writeFile(path, "");
		expect(await run(io, path, "list")).toMatchObject({
			code: 5,
			err: expect.stringContaining("nothing answers there"),
		});
	});
});

describe("an answer that makes no sense", () => {
	it.each([
		["no JSON", 200, "<html>", "answer is not JSON"],
		["an error status without an error", 500, "oops", "answered with status 500 and no error"],
		["another status", 302, "", "answered with status 302 and no error"],
	])("%s is a failure", async (_, status, body, why) => {
		daemon.on("GET /guests", (_request, response) => void response.writeHead(status).end(body));
		expect(await bulkhead("list")).toMatchObject({ code: 1, err: expect.stringContaining(why) });
	});

	it("no object on a line is a failure", async () => {
		daemon.on("DELETE /guests/g", (_, response) => void response.end("3\n"));
		expect(await bulkhead("destroy", "g")).toMatchObject({ code: 1, err: expect.stringContaining("is no object") });
	});

	it("a line above the limit is a failure", async () => {
		daemon.on("DELETE /guests/g", (_, response) => void response.end("x".repeat(5_000_000)));
		expect(await bulkhead("destroy", "g")).toMatchObject({
			code: 1,
			err: expect.stringContaining("Line is longer than"),
		});
	});
});

describe("exit codes", () => {
	const cases = Object.values(EXIT_CODES).flatMap(({ code, of }) => of.map((error) => [error, code] as const));
	it.each(cases)("%s ends with %i", async (code, exitCode) => {
		daemon.json("GET /guests", { code, message: "Something is wrong" }, 500);
		expect((await bulkhead("list")).code).toBe(exitCode);
	});

	it("an unknown error ends with 1, and -v tells code and fields", async () => {
		daemon.json("GET /guests", { code: "new-trouble", message: "Something is wrong", fields: { a: "é" } }, 500);
		expect(await bulkhead("-v", "list")).toEqual({
			code: 1,
			out: "",
			err: 'bulkhead: Something is wrong\ncode: new-trouble\nfields: {"a":"\\u00e9"}\n',
		});
	});

	it("are all in their help page, each once", async () => {
		const { code, out } = await bulkhead("help", "exit-codes");
		expect(code).toBe(0);
		const listed = [...out.matchAll(/^ *(\d+) {2}/gm)].map(([, number]) => Number(number));
		expect(listed).toEqual(Object.values(EXIT_CODES).map((entry) => entry.code));
		expect(new Set(listed).size).toBe(listed.length);
	});
});

describe("a wrong command line", () => {
	it.each([
		[["lst"], "unknown command 'lst'\n(Did you mean one of list, ls?)"],
		[["create"], "missing required argument 'file'"],
		[["list", "--lnog"], "unknown option '--lnog'\n(Did you mean --long?)"],
		[["pause", "a", "b"], "too many arguments"],
		[["console", "g", "-t", "vga"], "Allowed choices are serial, pv, stub"],
		[["console", "g", "-n", "x"], "Give a whole number"],
		[["shutdown", "g", "-t", "never"], "Give seconds, above 0 and up to 3600"],
		[["completion", "tcsh"], "Allowed choices are bash, zsh, fish"],
		[["help", "nothing"], 'there is no help on "nothing"'],
	])("%j ends with 2 and a hint", async (args, hint) => {
		const { code, err, out } = await bulkhead(...args);
		expect({ code, out }).toEqual({ code: 2, out: "" });
		expect(err).toContain(`bulkhead: `);
		expect(err).toContain(hint);
		expect(daemon.seen).toEqual([]);
	});

	it("is told as JSON as well", async () => {
		const { code, out } = await bulkhead("--json", "pause");
		expect({ code, value: JSON.parse(out) }).toEqual({
			code: 2,
			value: { error: { code: "usage", message: "missing required argument 'guest'" } },
		});
	});
});

describe("help", () => {
	const names =
		"create destroy shutdown reboot pause unpause rename qmp block-attach block-detach block-list cd-insert cd-eject list console domid domname uptime info dmesg events doctor";
	it.each(names.split(" "))("%s --help has examples", async (name) => {
		const { code, out } = await bulkhead(name, "--help");
		expect(code).toBe(0);
		expect(out).toMatch(new RegExp(`Examples:\n  bulkhead (--json )?${name}`));
		io.out = "";
		expect((await bulkhead("help", name)).out).toBe(out);
	});

	it.each(["bash", "zsh", "fish"])("completion %s knows every command", async (shell) => {
		const { code, out } = await bulkhead("completion", shell);
		expect(code).toBe(0);
		for (const name of names.split(" ")) expect(out).toContain(name);
	});

	it("--version prints the version", async () => {
		expect((await bulkhead("--version")).out).toBe("0.1.0\n");
	});
});
