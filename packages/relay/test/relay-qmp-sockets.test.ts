import { existsSync, statSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { domId, evtchnPort, grantRef, randomUuid } from "@bulkhead/base";
import { QmpClient } from "@bulkhead/qmp";
import { connectedPair, FakeQemu, type FakeQemuOptions, FakeRefusal } from "@bulkhead/qmp/testing";
import { describe, expect, it } from "vitest";
import type { QmpDialer } from "../src/qmp/qmp-dialer.ts";
import { DEFAULT_QMP_POLICY, type QmpPolicy } from "../src/qmp/qmp-policy.ts";
import { QmpSocketClient } from "./qmp-client-lines.ts";
import { RelayWorld } from "./relay-world.ts";
import { until } from "./until.ts";

const guest = randomUuid();
const ATTACH = { guest, domid: domId(6), ringRef: grantRef(1), remotePort: evtchnPort(4), greetingTimeoutMs: 5000 };

/** A relay attached to a scripted QEMU, by the real client. */
async function attached(handlers: FakeQemuOptions["handlers"] = {}, policy?: QmpPolicy) {
	let qemu!: FakeQemu;
	const dial: QmpDialer = async (_place, { onEvent, onClosed }) => {
		const [near, far] = connectedPair();
		qemu = new FakeQemu(far, { handlers });
		const client = await QmpClient.open(near, {
			onEvent: ({ event, data }) => onEvent({ event, ...(Object.keys(data).length > 0 && { data }) }),
		});
		client.onClose(onClosed);
		return {
			version: client.version,
			execute: (command, args, options) => client.execute(command, args, options),
			close: () => client.close(),
		};
	};
	const world = await RelayWorld.start({ dial, ...(policy && { policy }) });
	await world.client.request("attach-qmp", ATTACH, { timeoutMs: 10_000 });
	const pathOf = (role: string): string => join(world.directory, "run/guests", guest, "qmp", `${role}.sock`);
	return { world, qemu, pathOf };
}

describe("a guest's QMP sockets", () => {
	it("are there while the session is, for those whom their modes let in", async () => {
		const { world, pathOf } = await attached();
		const modes = ["operator", "reader", "monitor"].map((role) => statSync(pathOf(role)).mode & 0o777);
		expect(modes).toEqual([0o600, 0o660, 0o660]);
		expect(statSync(join(pathOf("reader"), "..")).mode & 0o777).toBe(0o750);
		const client = await QmpSocketClient.open(pathOf("operator"));
		expect((await world.client.request("list", {}, { timeoutMs: 1000 })).qmps).toMatchObject([{ clients: 1 }]);
		await world.client.request("detach-qmp", { guest }, { timeoutMs: 1000 });
		await until("the end", () => client.isOver);
		expect(existsSync(join(pathOf("reader"), ".."))).toBe(false);
	});

	it("are those of the latest session, however fast one replaces another", async () => {
		const { world, pathOf } = await attached();
		const attach = (domid: number): Promise<unknown> =>
			world.client.request("attach-qmp", { ...ATTACH, domid: domId(domid) }, { timeoutMs: 10_000 }).catch(() => {});
		await Promise.all([7, 8, 9, 10].map(attach));
		const client = await QmpSocketClient.open(pathOf("operator"));
		expect(await client.ask("query-status")).toMatchObject({ return: { running: true } });
	});

	it("speak QMP: greeting, negotiation, ids of the client's own, errors of QEMU's", async () => {
		const { pathOf } = await attached({
			eject: () => {
				throw new FakeRefusal("DeviceNotFound", "Device 'x' not found");
			},
		});
		const client = await QmpSocketClient.open(pathOf("operator"), { negotiate: false });
		expect(client.messages[0]).toMatchObject({
			QMP: { version: { qemu: { major: 7, minor: 2 } }, capabilities: ["oob"] },
		});
		expect(await client.ask("query-status")).toMatchObject({ error: { class: "CommandNotFound" } });
		expect(await client.ask("qmp_capabilities", { enable: ["fly"] })).toMatchObject({
			error: { class: "GenericError" },
		});
		expect(await client.ask("qmp_capabilities")).toMatchObject({ return: {} });
		expect(await client.ask("qmp_capabilities")).toMatchObject({ error: { class: "CommandNotFound" } });
		for (const id of [0, null, "x", [1, { a: 2 }]])
			expect(await client.ask("query-status", undefined, id)).toMatchObject({ return: { running: true }, id });
		expect(await client.ask("eject", { id: "x" })).toMatchObject({
			error: { class: "DeviceNotFound", desc: "Device 'x' not found" },
		});
		client.send({ execute: "query-status" });
		await until(
			"an answer without id",
			() => client.messages.at(-1)?.return !== undefined && !("id" in (client.messages.at(-1) ?? {})),
		);
	});

	it.each([
		["reader", "query-block", true],
		["reader", "cont", false],
		["monitor", "query-status", true],
		["monitor", "query-block", false],
		["operator", "cont", true],
		["operator", "screendump", false],
		["operator", "migrate", false],
	])("let a %s say %s: %s", async (role, command, allowed) => {
		const { pathOf, qemu, world } = await attached({ migrate: () => ({}), "human-monitor-command": () => "" });
		const client = await QmpSocketClient.open(pathOf(role));
		const answer = await client.ask(command);
		expect("return" in answer).toBe(allowed);
		expect(qemu.received.some(({ execute }) => execute === command)).toBe(allowed);
		if (!allowed) expect(world.logged.join("\n")).toContain("qmp-command-refused");
	});

	it.each([
		["reader", "info pci", true],
		["reader", "sendkey ctrl-alt-delete", false],
		["operator", "sendkey ctrl-alt-delete", true],
		["operator", "drive_add 0 file=/etc/shadow", false],
		["monitor", "info pci", false],
	])("let a %s say %s to the monitor for people: %s", async (role, line, allowed) => {
		const { pathOf, qemu, world } = await attached({ "human-monitor-command": () => "answer\r\n" });
		const client = await QmpSocketClient.open(pathOf(role));
		const answer = await client.ask("human-monitor-command", { "command-line": line });
		expect(answer).toMatchObject(allowed ? { return: "answer\r\n" } : { error: { class: "GenericError" } });
		expect(qemu.received.some(({ execute }) => execute === "human-monitor-command")).toBe(allowed);
		if (!allowed) expect(world.logged.join("\n")).toMatch(/[hq]mp-command-refused/);
	});

	it("take commands without newlines, too, as QEMU does", async () => {
		const { pathOf } = await attached();
		const client = await QmpSocketClient.open(pathOf("reader"), { negotiate: false });
		client.socket.write('{"execute":"qmp_capabilities"}{"execute":"query-status","id":1}{"execute":"query-');
		await client.answerTo(1);
		client.socket.write('version",\n"id":2}');
		expect(await client.answerTo(2)).toMatchObject({ return: { qemu: { major: 7 } } });
	});

	it("mix no answers up, and answer queries while a long command runs", async () => {
		let finish: (value: object) => void = () => {};
		let count = 0;
		const { pathOf, world } = await attached({
			system_reset: () => new Promise((resolve) => (finish = resolve)),
			"query-name": async () => {
				const mine = count++;
				for (let turn = mine % 7; turn > 0; turn--) await new Promise((resolve) => setImmediate(resolve));
				return { name: `n${mine}` };
			},
		});
		const slow = await QmpSocketClient.open(pathOf("operator"));
		slow.send({ execute: "system_reset", id: 1 });
		const clients = await Promise.all(Array.from({ length: 16 }, () => QmpSocketClient.open(pathOf("reader"))));
		const names = await Promise.all(
			clients.flatMap((client) =>
				[1, 2, 3, 4].map(async (id) => (await client.ask("query-name", undefined, id)).return),
			),
		);
		expect(new Set(names.map((value) => (value as { name: string }).name)).size).toBe(64);
		const ask = { guest, command: "query-status", timeoutMs: 1000 };
		await world.client.request("qmp-execute", ask, { timeoutMs: 5000 });
		expect(slow.messages.some(({ id }) => id === 1)).toBe(false);
		finish({});
		expect(await slow.answerTo(1)).toMatchObject({ return: {} });
	});

	it("answer a client's commands in their order, those out of band at once", async () => {
		let finish: (value: object) => void = () => {};
		const { pathOf, qemu } = await attached({
			"query-pci": () => new Promise((resolve) => (finish = () => resolve([]))),
			"query-yank": () => [],
		});
		const client = await QmpSocketClient.open(pathOf("reader"), { oob: true });
		client.send({ execute: "query-pci", id: "first" });
		client.send({ execute: "query-status", id: "second" });
		client.send({ "exec-oob": "query-yank", id: "oob" });
		await client.answerTo("oob");
		expect(qemu.outOfBand).toBe(1);
		expect(client.messages.some(({ id }) => id === "second")).toBe(false);
		finish({});
		await client.answerTo("second");
		expect(client.messages.map(({ id }) => id).slice(-3)).toEqual(["oob", "first", "second"]);
	});

	it("tell events to all, and let go who does not read, without waiting", async () => {
		const policy = { ...DEFAULT_QMP_POLICY, events: { burst: 1_000_000, perSecond: 0 } };
		const { pathOf, qemu, world } = await attached({}, policy);
		const [watcher, sleeper] = [
			await QmpSocketClient.open(pathOf("monitor")),
			await QmpSocketClient.open(pathOf("reader")),
		];
		qemu.emit("STOP");
		await until("the event", () => watcher.events.length === 1 && sleeper.events.length === 1);
		sleeper.socket.pause();
		const data = { info: { padding: "x".repeat(16 * 1024) } };
		for (let count = 0; count < 150; count++) {
			qemu.emit("NEWER_EVENT", data);
			if (count % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
		}
		await until("all events", () => watcher.events.length === 151);
		await until("the end of the sleeper", () => world.logged.some((line) => line.includes("does not read")));
	});

	it("hold a client back that gives too many commands, and refuse those that come too fast", async () => {
		let asked = 0;
		const finishes: (() => void)[] = [];
		const policy = { ...DEFAULT_QMP_POLICY, client: { inFlight: 4, burst: 10, perSecond: 0 } };
		const { pathOf } = await attached(
			{
				"query-name": () => {
					asked++;
					return new Promise((resolve) => finishes.push(() => resolve({})));
				},
			},
			policy,
		);
		const client = await QmpSocketClient.open(pathOf("reader"));
		for (let id = 0; id < 30; id++) client.send({ execute: "query-name", id });
		await until("the first", () => asked === 4);
		expect((await QmpSocketClient.open(pathOf("reader"))).messages).toHaveLength(2);
		expect(asked).toBe(4);
		const timer = setInterval(() => finishes.shift()?.(), 1);
		expect(await client.answerTo(29)).toMatchObject({ error: { desc: "Too many commands in a short time" } });
		clearInterval(timer);
		// The negotiation was the first of ten.
		expect(asked).toBe(9);
	});

	it.each([
		["no JSON", "{nonsense}\n", "JSON parse error"],
		["an array", "[]\n", "must be a JSON object"],
		["an odd member", '{"execute":"query-status","x":1}\n', "unexpected"],
		["two commands in one", '{"execute":"query-status","exec-oob":"query-status"}\n', "needs 'execute'"],
		["deep nesting", `${"[".repeat(40)}${"]".repeat(40)}\n`, "JSON parse error"],
		["a long id", `{"execute":"query-status","id":"${"x".repeat(2000)}"}\n`, "longer than"],
		["a prototype", '{"execute":"eject","arguments":{"__proto__":{}}}\n', "JSON parse error"],
		["a name with escapes", '{"execute":"\\u001b[2J"}\n', "needs 'execute'"],
	])("answer %s with an error, and go on", async (_, line, desc) => {
		const { pathOf } = await attached();
		const client = await QmpSocketClient.open(pathOf("operator"));
		client.socket.write(line);
		await until("the error", () => client.messages.some(({ error }) => error !== undefined));
		expect((client.messages.at(-1) as { error: { desc: string } }).error.desc).toContain(desc);
		expect(await client.ask("query-status")).toMatchObject({ return: { running: true } });
	});

	it.each([
		["a line without end", "x".repeat(80_000)],
		["bytes that are no UTF-8", Buffer.from([0xc3, 0x28, 10])],
	])("let go of a client that sends %s", async (_, bytes) => {
		const { pathOf, world } = await attached();
		const client = await QmpSocketClient.open(pathOf("operator"));
		client.socket.write(bytes);
		await until("the end", () => client.isOver);
		expect(world.logged.join()).toContain("Let a QMP client go");
	});

	it("turn away more clients than they take", async () => {
		const { pathOf, world } = await attached({}, { ...DEFAULT_QMP_POLICY, clients: 2 });
		const first = await QmpSocketClient.open(pathOf("monitor"));
		await QmpSocketClient.open(pathOf("monitor"));
		const third = connect({ path: pathOf("monitor") });
		third.on("error", () => {}).resume();
		await until("its refusal", () => third.destroyed);
		first.socket.destroy();
		const clients = async (): Promise<number> => {
			const { qmps } = await world.client.request("list", {}, { timeoutMs: 1000 });
			return qmps[0]?.clients ?? 0;
		};
		while ((await clients()) > 1);
		await QmpSocketClient.open(pathOf("monitor"));
	});

	it("write ASCII only, whatever QEMU says, and keep a log of who did what", async () => {
		const { pathOf, world } = await attached({
			"query-name": () => ({ name: "\u001b[2J\u009b31m\u202eü" }),
			eject: () => {
				throw new FakeRefusal("GenericError", "\u001b]0;owned\u0007\u009b");
			},
			"change-vnc-password": () => ({}),
		});
		const client = await QmpSocketClient.open(pathOf("operator"));
		expect(await client.ask("query-name")).toMatchObject({ return: { name: "\u001b[2J\u009b31m\u202eü" } });
		await client.ask("eject", { id: "x" });
		await client.ask("change-vnc-password", { password: "secret" });
		expect(client.text).toMatch(/^[\r\n\x20-\x7e]*$/);
		const log = world.logged.join("\n");
		expect(log).toMatch(/^[\n\x20-\x7e]*$/);
		expect(log).toMatch(/QMP command .*"role":"operator".*"command":"change-vnc-password","arguments":\["password"\]/);
		expect(log).not.toContain("secret");
	});

	it("refuse an answer of the wrong form, and the session lives", async () => {
		const { pathOf } = await attached({ "query-name": () => ({ name: 5 }) });
		const client = await QmpSocketClient.open(pathOf("reader"));
		expect(await client.ask("query-name")).toMatchObject({
			error: { desc: "QEMU's answer to query-name.name is no str" },
		});
		expect(await client.ask("query-status")).toMatchObject({ return: { running: true } });
	});
});
