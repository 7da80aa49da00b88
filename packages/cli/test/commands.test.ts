import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CapturedIo, run } from "./captured-io.ts";
import { DETAILS, GUEST, HOST, ID, NIC } from "./documents.ts";
import { FakeDaemon } from "./fake-daemon.ts";

let daemon: FakeDaemon;
let io: CapturedIo;
const bulkhead = (...args: string[]): ReturnType<typeof run> => run(io, daemon.socketPath, ...args);
const event = (type: string, details: object = {}): object => ({
	time: "2026-11-21T03:00:00.000Z",
	type,
	guest: { uuid: ID, name: "web", domid: 5 },
	...details,
});

beforeEach(async () => {
	io = new CapturedIo();
	daemon = await FakeDaemon.open();
	daemon.json("GET /guests", [GUEST]);
	for (const ref of ["web", "5", ID]) daemon.json(`GET /guests/${ref}`, DETAILS);
	daemon.json("GET /host", HOST);
});
afterEach(async () => {
	expect(io.listening).toBe(false);
	await daemon[Symbol.asyncDispose]();
});

describe("bulkhead", () => {
	it("list prints xl's columns", async () => {
		const { code, out } = await bulkhead("list");
		expect(code).toBe(0);
		expect(out).toBe(
			"Name                                        ID   Mem VCPUs\tState\tTime(s)\n" +
				"web                                          5   512     2     -b----      12.3\n",
		);
	});

	it("list of a guest without a domain has a dash", async () => {
		daemon.json("GET /guests", [{ ...GUEST, domid: undefined, name: "a\u001b[31m" }]);
		expect((await bulkhead("list")).out).toContain(`${"a\\u{1b}[31m".padEnd(40)}     -   512`);
	});

	it("list GUEST asks for that guest only", async () => {
		expect((await bulkhead("list", "web")).out).toContain("web ");
		expect(daemon.seen.map(({ path }) => path)).toEqual(["/guests/web"]);
	});

	it("list -l tells everything", async () => {
		const { out } = await bulkhead("list", "-l");
		expect(out.split("\n")).toEqual([
			"web",
			`  uuid                    ${ID}`,
			"  domid                   5",
			"  type                    hvm",
			"  phase                   running (-b----)",
			"  memory                  512 MiB",
			"  vcpus                   2",
			"  cpu time                12.3 s",
			"  uptime                  1 day, 2:03:04",
			"  created                 2026-11-21T03:00:00.000Z",
			"  stub domain             6, 192 MiB, running",
			"  qemu                    running",
			"  last end                reboot at 2026-11-21T02:00:00.000Z",
			"  disk hda                /srv/web.img",
			"  disk hdc                (empty), cdrom, read-only",
			"  console pv              /dev/pts/3, /run/pv.sock",
			"  console stub            /run/stub.sock",
			"  console serial0         /dev/pts/4",
			"  on poweroff             destroy",
			"  on reboot               restart",
			"  on watchdog             destroy",
			"  on crash                preserve",
			"  on softReset            soft-reset",
			"  on deviceModelFailure   destroy",
			"",
		]);
	});

	it.each([
		[["list", "--names"], "web\n"],
		[["domid", "web"], "5\n"],
		[["domname", "5"], "web\n"],
		[
			["uptime"],
			"Name                                ID Uptime\nweb                                  5 1 day, 2:03:04\n",
		],
		[
			["uptime", "web"],
			"Name                                ID Uptime\nweb                                  5 1 day, 2:03:04\n",
		],
	])("%j prints %j", async (args, expected) => {
		expect(await bulkhead(...args)).toEqual({ code: 0, out: expected, err: "" });
	});

	it.each([
		[["list"], [GUEST]],
		[["list", "-l"], [DETAILS]],
		[["domid", "web"], { domid: 5 }],
		[["domname", "5"], { name: "web" }],
		[["uptime"], [{ uuid: ID, name: "web", domid: 5, uptimeSeconds: 93_784.9 }]],
		[["info"], HOST],
	])("--json %j prints one document", async (args, expected) => {
		const { code, out, err } = await bulkhead("--json", ...args);
		expect({ code, err, value: JSON.parse(out), lines: out.split("\n").length }).toEqual({
			code: 0,
			err: "",
			value: expected,
			lines: 2,
		});
	});

	it("takes --json behind the command too", async () => {
		expect(JSON.parse((await bulkhead("domid", "web", "--json")).out)).toEqual({ domid: 5 });
	});

	it.each([
		["reboot", "web was asked to reboot\n"],
		["pause", "web paused\n"],
		["unpause", "web runs\n"],
	])("%s is one request", async (action, sentence) => {
		daemon.json(`POST /guests/web/${action}`, GUEST);
		expect(await bulkhead(action, "web")).toEqual({ code: 0, out: sentence, err: "" });
		io.out = "";
		expect(JSON.parse((await bulkhead(action, "web", "--json")).out)).toEqual(GUEST);
	});

	it("rename sends the new name", async () => {
		daemon.json("POST /guests/web/rename", { ...GUEST, name: "shop" });
		expect((await bulkhead("rename", "web", "shop")).out).toBe("web is shop now\n");
		expect(daemon.seen[0]?.body).toEqual({ name: "shop" });
	});

	it("escapes a reference into the route", async () => {
		daemon.json("POST /guests/a%2Fb%3F%20c/pause", GUEST);
		expect((await bulkhead("pause", "a/b? c")).code).toBe(0);
	});

	it("info prints xl's names", async () => {
		const { out } = await bulkhead("info");
		expect(out).toContain("xen_version            : 4.17.7\n");
		expect(out).toContain("free_memory            : 1000\n");
		expect(out).toContain("bulkhead_relay         : connected\n");
	});

	it("dmesg escapes what could move a terminal's cursor", async () => {
		daemon.on("GET /host/dmesg", (_, response) => response.end("(XEN) one\n\u001b[2Jtwo\n"));
		expect((await bulkhead("dmesg")).out).toBe("(XEN) one\n\\u{1b}[2Jtwo\n");
	});

	it("doctor fails when a check fails, with its remedy", async () => {
		daemon.json("GET /host/doctor", {
			checks: [
				{ name: "relay", ok: true, detail: "version 0.1.0" },
				{ name: "BIOS", ok: false, detail: "missing", remedy: "Install seabios" },
			],
		});
		expect(await bulkhead("doctor")).toEqual({
			code: 1,
			out: "ok    relay: version 0.1.0\nFAIL  BIOS: missing\n       remedy: Install seabios\n",
			err: "",
		});
	});

	it("doctor looks around by itself when there is no daemon", async () => {
		const { code, out } = await run(io, "/nonexistent/d.sock", "doctor");
		expect(code).toBe(5);
		expect(out).toContain("FAIL  bulkheadd: Cannot reach bulkheadd at /nonexistent/d.sock: there is no such socket");
	});

	describe("qmp", () => {
		it.each([
			[[], undefined],
			[["id=ide-5632", "force=true", "n=3", "list=[1]"], { id: "ide-5632", force: true, n: 3, list: [1] }],
			[['{"a":{"b":1}}'], { a: { b: 1 } }],
		])("sends %j as arguments", async (values, expected) => {
			daemon.json("POST /guests/web/qmp", { return: { status: "running", note: "é\u001b" } });
			const { code, out } = await bulkhead("qmp", "web", "query-status", ...values, "-t", "2");
			expect({ code, out }).toEqual({
				code: 0,
				out: '{\n  "status": "running",\n  "note": "\\u00e9\\u001b"\n}\n',
			});
			expect(daemon.seen[0]?.body).toEqual({ command: "query-status", arguments: expected, timeoutMs: 2000 });
		});

		it.each([
			[["qmp", "web", "eject", "id"], 4, "is not key=value"],
			[["qmp", "web", "eject", "{oops"], 4, "are not one JSON object"],
			[["qmp", "web"], 2, "The QMP command is missing"],
			[["qmp", "web", "stop", "--watch"], 2, "cannot be run with --watch"],
			[["qmp", "web", "stop", "-t", "0"], 2, "Give seconds"],
		])("refuses %j", async (args, code, why) => {
			const outcome = await bulkhead(...args);
			expect(outcome.code).toBe(code);
			expect(outcome.err).toContain(why);
			expect(daemon.seen).toEqual([]);
		});

		it("--watch prints QEMU's events until Ctrl-C", async () => {
			daemon.on("GET /events?guest=web", (_, response) => {
				response.write(`${JSON.stringify(event("heartbeat"))}\n${JSON.stringify(event("guest-state"))}\n`);
				response.write(`${JSON.stringify(event("qmp-event", { event: "STOP", data: { x: "\u001b" } }))}\n`);
			});
			const running = bulkhead("qmp", "web", "--watch");
			await io.until(() => io.out.includes("\n"));
			io.signal("SIGINT");
			expect(await running).toEqual({
				code: 130,
				out: '2026-11-21T03:00:00.000Z  qmp-event  web (5)  event=STOP  data={"x":"\\u001b"}\n',
				err: "",
			});
		});
	});

	describe("events", () => {
		it("--json passes each event on, one a line", async () => {
			const lines = [event("guest-state", { state: "paused" }), event("guest-ended", { reason: "crash" })];
			daemon.on("GET /events", (_, response) => {
				for (const line of lines) response.write(`${JSON.stringify(line)}\n`);
			});
			const running = bulkhead("events", "--json");
			await io.until(() => io.out.split("\n").length === 3);
			io.signal("SIGTERM");
			expect((await running).code).toBe(143);
			expect(
				io.out
					.trim()
					.split("\n")
					.map((line) => JSON.parse(line)),
			).toEqual(lines);
		});

		it("is a failure when the daemon breaks off", async () => {
			daemon.lines("GET /events", event("guest-state"));
			expect(await bulkhead("events")).toMatchObject({ code: 5, err: expect.stringContaining("broke off") });
		});
	});

	it("network-list prints xl's columns", async () => {
		daemon.json("GET /guests/web/nics", [NIC, { ...NIC, devid: 1, state: -1, eventChannel: -1, mac: "x\u001b" }]);
		expect((await bulkhead("network-list", "web")).out).toBe(
			"Idx BE Mac Addr.         handle state evt-ch   tx-/rx-ring-ref BE-path                       \n" +
				"0   0  00:16:3e:01:02:03      0     4     12   768/769         /local/domain/0/backend/vif/5/0\n" +
				"1   0  x\\u{1b}                1    -1     -1   768/769         /local/domain/0/backend/vif/5/0\n",
		);
	});

	it("network-attach hands its parameters on as a vif entry", async () => {
		daemon.lines("POST /guests/web/nics", { type: "result", nic: NIC });
		const { code, out } = await bulkhead("network-attach", "web", "bridge=xenbr1", "mac=00:16:3e:01:02:03");
		expect({ code, out }).toEqual({ code: 0, out: "nic 0 (00:16:3e:01:02:03) attached to web\n" });
		expect(daemon.seen.at(-1)?.body).toEqual({ spec: "bridge=xenbr1,mac=00:16:3e:01:02:03" });
	});

	it("network-detach tells what went on, and forces when it is told to", async () => {
		const result = { type: "result", nic: NIC, forced: true, complaints: ["backend: \u001b"] };
		daemon.lines("DELETE /guests/web/nics/0", result);
		daemon.lines("DELETE /guests/web/nics/0?force=1", result);
		const { code, out, err } = await bulkhead("network-detach", "web", "0");
		expect(code).toBe(0);
		expect(out).toBe("nic 0 (00:16:3e:01:02:03) detached from web, by force\n");
		expect(err).toContain("bulkhead: backend: \\u{1b}");
		expect((await bulkhead("network-detach", "web", "0", "--force")).code).toBe(0);
		expect(daemon.seen.at(-1)?.path).toBe("/guests/web/nics/0?force=1");
	});
});
