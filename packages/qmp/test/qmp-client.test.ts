import { CancelledError, DeadlineError, InvalidInputError, ProtocolError } from "@bulkhead/base";
import { fc, test as property } from "@fast-check/vitest";
import { afterEach, describe, expect, it } from "vitest";
import { executeTyped } from "../src/commands.ts";
import { LIMITS, QmpClient, QmpConnectionError, QmpError, type QmpEvent } from "../src/index.ts";
import { connectedPair, FakeQemu, type FakeQemuOptions, FakeRefusal } from "../src/testing/index.ts";

const open: QmpClient[] = [];

async function connect(
	options: FakeQemuOptions & { onEvent?: (event: QmpEvent) => void } = {},
): Promise<{ qmp: QmpClient; qemu: FakeQemu }> {
	const [ours, theirs] = connectedPair();
	const qemu = new FakeQemu(theirs, options);
	const qmp = await QmpClient.open(ours, { greetingTimeoutMs: 2000, onEvent: options.onEvent });
	open.push(qmp);
	return { qmp, qemu };
}

afterEach(() => {
	for (const qmp of open.splice(0)) qmp.close();
});

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
	return promise.then(
		() => undefined,
		(error) => error,
	);
}

/** An answer that waits until the test gives it. */
function later(): { answer: Promise<unknown>; give: (value: unknown) => void } {
	let give: (value: unknown) => void = () => {};
	const answer = new Promise((resolve) => {
		give = resolve;
	});
	return { answer, give };
}

describe("QmpClient.open", () => {
	it("negotiates and knows QEMU's version", async () => {
		const { qmp, qemu } = await connect({ version: { major: 8, minor: 1, micro: 0 } });
		expect(qemu.received).toEqual([{ execute: "qmp_capabilities", arguments: { enable: ["oob"] }, id: 1 }]);
		expect(qmp.version).toMatchObject({ major: 8, minor: 1, micro: 0 });
	});

	it("gives up when no greeting comes, and lets the stream go", async () => {
		const [ours, theirs] = connectedPair();
		new FakeQemu(theirs, { greets: false });
		const failed = await failureOf(QmpClient.open(ours, { greetingTimeoutMs: 20 }));
		expect(failed).toBeInstanceOf(DeadlineError);
		expect(String(failed)).toContain("greeting");
		expect(ours.destroyed).toBe(true);
	});

	it("gives up with its signal", async () => {
		const [ours, theirs] = connectedPair();
		new FakeQemu(theirs, { greets: false });
		const abort = new AbortController();
		const failed = failureOf(QmpClient.open(ours, { signal: abort.signal }));
		abort.abort();
		expect(await failed).toBeInstanceOf(CancelledError);
		expect(ours.destroyed).toBe(true);
	});

	it("skips what an earlier session left in the channel", async () => {
		const [ours, theirs] = connectedPair();
		const qemu = new FakeQemu(theirs, { greets: false });
		qemu.sendRaw('conds":12}, "event":"STOP"}\r\n');
		qemu.send({ return: {}, id: 1 });
		qemu.emit("RESUME");
		qemu.greet();
		const qmp = await QmpClient.open(ours, { greetingTimeoutMs: 2000 });
		open.push(qmp);
		expect(qmp.stats).toMatchObject({ staleMessages: 3, events: 0 });
		expect(await executeTyped(qmp, "query-status")).toEqual({ running: true, singlestep: false, status: "running" });
	});

	it("does not skip for ever", async () => {
		const [ours, theirs] = connectedPair();
		const qemu = new FakeQemu(theirs, { greets: false });
		for (let count = 0; count <= LIMITS.messagesBeforeGreeting; count++) qemu.emit("STOP");
		expect(await failureOf(QmpClient.open(ours))).toBeInstanceOf(ProtocolError);
	});

	it("fails when QEMU goes before it greets", async () => {
		const [ours, theirs] = connectedPair();
		new FakeQemu(theirs, { greets: false }).die();
		expect(await failureOf(QmpClient.open(ours))).toBeInstanceOf(QmpConnectionError);
	});
});

describe("execute", () => {
	it("returns QEMU's value, and passes arguments", async () => {
		const { qmp, qemu } = await connect({ handlers: { echo: (args) => args } });
		expect(await qmp.execute("echo", { deep: [{ x: "ü" }] })).toEqual({ deep: [{ x: "ü" }] });
		expect(qemu.received.at(-1)).toEqual({ execute: "echo", arguments: { deep: [{ x: "ü" }] }, id: 2 });
	});

	it("matches overlapping answers by id", async () => {
		const slow = later();
		const { qmp } = await connect({ handlers: { slow: () => slow.answer, fast: () => ({ n: 2 }) } });
		const first = qmp.execute("slow");
		expect(await qmp.execute("fast")).toEqual({ n: 2 });
		slow.give({ n: 1 });
		expect(await first).toEqual({ n: 1 });
	});

	it("makes QEMU's refusal an error that is safe to print", async () => {
		const refuse = (): never => {
			throw new FakeRefusal("DeviceNotFound", `no \u001b[31m${"x".repeat(5000)}`);
		};
		const { qmp } = await connect({ handlers: { device_del: refuse } });
		const failed = await failureOf(qmp.execute("device_del", { id: "x" }));
		expect(failed).toBeInstanceOf(QmpError);
		expect(failed).toMatchObject({ code: "qmp-refused", command: "device_del", errorClass: "DeviceNotFound" });
		expect(String(failed)).not.toContain("\u001b");
		expect(String(failed).length).toBeLessThan(1200);
		expect(await failureOf(qmp.execute("no-such"))).toMatchObject({ errorClass: "CommandNotFound" });
	});

	it("gives up at its deadline, ignores the late answer and goes on", async () => {
		const slow = later();
		const { qmp } = await connect({ handlers: { slow: () => slow.answer } });
		const failed = await failureOf(qmp.execute("slow", {}, { timeoutMs: 20 }));
		expect(failed).toBeInstanceOf(DeadlineError);
		expect(String(failed)).toContain("slow");
		slow.give({});
		expect(await qmp.execute("query-status")).toMatchObject({ running: true });
	});

	it("stops with its signal, before and while it waits", async () => {
		const { qmp, qemu } = await connect({ handlers: { never: () => new Promise(() => {}) } });
		const abort = new AbortController();
		const waiting = failureOf(qmp.execute("never", {}, { signal: abort.signal }));
		abort.abort();
		expect(await waiting).toBeInstanceOf(CancelledError);
		expect(await failureOf(qmp.execute("never", {}, { signal: abort.signal }))).toBeInstanceOf(CancelledError);
		await qmp.execute("query-status");
		expect(qemu.received.filter(({ execute }) => execute === "never")).toHaveLength(1);
	});

	it("gives up a QEMU that owes too many answers", async () => {
		const { qmp } = await connect({ handlers: { never: () => new Promise(() => {}) } });
		const attempts = Array.from({ length: LIMITS.abandonedCommands + 1 }, () =>
			failureOf(qmp.execute("never", {}, { timeoutMs: 5 })),
		);
		await Promise.all(attempts);
		expect(qmp.ended).toMatchObject({ code: "qmp-connection-lost" });
	});

	it.each(["", "a b", 'x","id":1', "ü", "x".repeat(200)])("refuses %j as a command", async (command) => {
		const { qmp, qemu } = await connect();
		expect(await failureOf(qmp.execute(command))).toBeInstanceOf(InvalidInputError);
		expect(qemu.received).toHaveLength(1);
	});

	it("refuses arguments that are too long", async () => {
		const { qmp } = await connect();
		const failed = await failureOf(qmp.execute("echo", { x: "y".repeat(LIMITS.messageBytes) }));
		expect(failed).toBeInstanceOf(InvalidInputError);
	});

	it("takes an answer as long as the limit, and ends the session above it", async () => {
		const { qmp } = await connect({ handlers: { long: ({ length }) => "y".repeat(length as number) } });
		const frame = '{"return":"","id":2}\r'.length;
		expect(await qmp.execute("long", { length: LIMITS.messageBytes - frame })).toHaveLength(
			LIMITS.messageBytes - frame,
		);
		expect(await failureOf(qmp.execute("long", { length: LIMITS.messageBytes - frame + 1 }))).toMatchObject({
			code: "qmp-connection-lost",
			cause: { code: "protocol-error" },
		});
	});
});

describe("events", () => {
	it("go to the listener in order, before the answer that follows them", async () => {
		const seen: string[] = [];
		const { qmp } = await connect({ onEvent: ({ event }) => seen.push(event) });
		await qmp.execute("stop");
		seen.push("stopped");
		await qmp.execute("cont");
		seen.push("continued");
		expect(seen).toEqual(["STOP", "stopped", "RESUME", "continued"]);
	});

	it("wait for their consumer, within a limit", async () => {
		const { qmp, qemu } = await connect();
		for (let count = 0; count < LIMITS.queuedEvents + 10; count++) qemu.emit("TICK", { count });
		await qmp.execute("query-status");
		expect(qmp.stats).toMatchObject({ events: LIMITS.queuedEvents + 10, droppedEvents: 10 });
		qmp.close();
		const counts: unknown[] = [];
		for await (const { data } of qmp.events()) counts.push(data.count);
		expect(counts).toEqual(Array.from({ length: LIMITS.queuedEvents }, (_, index) => index));
	});
});

describe("the session's end", () => {
	it.each([
		["QEMU goes", (qemu: FakeQemu) => qemu.die()],
		["QEMU answers what was not asked", (qemu: FakeQemu) => qemu.send({ return: {}, id: 999 })],
		["QEMU greets again", (qemu: FakeQemu) => qemu.greet()],
		["QEMU sends no JSON", (qemu: FakeQemu) => qemu.sendRaw("hello\n")],
		["QEMU sends no UTF-8", (qemu: FakeQemu) => qemu.sendRaw(Uint8Array.from([0xc3, 0x28, 10]))],
		["QEMU nests too deep", (qemu: FakeQemu) => qemu.sendRaw(`${"[".repeat(65)}${"]".repeat(65)}\n`)],
		["QEMU sends a line without end", (qemu: FakeQemu) => qemu.sendRaw("x".repeat(LIMITS.messageBytes + 1))],
		["QEMU means to change prototypes", (qemu: FakeQemu) => qemu.sendRaw('{"return":{"__proto__":{}},"id":2}\n')],
	])("fails what waits, when %s", async (_, act) => {
		const { qmp, qemu } = await connect({ handlers: { never: () => new Promise(() => {}) } });
		const waiting = failureOf(qmp.execute("never"));
		const told = new Promise((resolve) => qmp.onClose(resolve));
		act(qemu);
		expect(await waiting).toBeInstanceOf(QmpConnectionError);
		expect(await waiting).toMatchObject({ code: "qmp-connection-lost" });
		expect(await told).toBe(await waiting);
		expect(await failureOf(qmp.execute("query-status"))).toBe(await waiting);
		expect(await new Promise((resolve) => qmp.onClose(resolve))).toBe(await waiting);
	});

	it("comes with a second answer to one command", async () => {
		const { qmp, qemu } = await connect();
		await qmp.execute("query-status");
		const told = new Promise((resolve) => qmp.onClose(resolve));
		qemu.send({ return: {}, id: 2 });
		expect(await told).toMatchObject({ cause: { code: "protocol-error" } });
	});

	it("comes when we close, as often as we like", async () => {
		const { qmp } = await connect({ handlers: { never: () => new Promise(() => {}) } });
		const waiting = failureOf(qmp.execute("never"));
		qmp.close();
		qmp.close();
		expect(await waiting).toMatchObject({ code: "qmp-connection-lost" });
	});

	it("comes at whichever byte QEMU closes", async () => {
		const said = [
			'{"QMP":{"version":{"qemu":{"major":7,"minor":2,"micro":1},"package":""},"capabilities":[]}}\r\n',
			'{"return":{},"id":1}\r\n',
			'{"event":"STOP","timestamp":{"seconds":1,"microseconds":2}}\r\n{"return":{"running":true},"id":2}\r\n',
		];
		for (let bytes = 0; bytes < said.join("").length - 2; bytes++) {
			const [near, far] = connectedPair();
			let left = bytes;
			const pieces = said.values();
			const sayNext = (): void => {
				const piece = pieces.next().value ?? "";
				far.write(piece.slice(0, left));
				left -= piece.length;
				if (left <= 0) setImmediate(() => far.destroy());
			};
			far.on("error", () => {}).on("data", sayNext);
			sayNext();
			const failed = failureOf(
				QmpClient.open(near, { greetingTimeoutMs: 5000 }).then((qmp) => qmp.execute("query-status", undefined)),
			);
			expect(await failed, `closed after ${bytes} bytes`).toBeInstanceOf(QmpConnectionError);
			expect(near.destroyed).toBe(true);
		}
	});

	property.prop([fc.array(fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.json()), { maxLength: 10 })], {
		numRuns: 100,
	})("is the worst that any bytes can do", async (pieces) => {
		const { qmp, qemu } = await connect({ handlers: { never: () => new Promise(() => {}) } });
		const waiting = failureOf(qmp.execute("never"));
		for (const piece of pieces) {
			qemu.sendRaw(piece);
			qemu.sendRaw("\n");
		}
		qemu.die();
		expect(await waiting).toBeInstanceOf(QmpConnectionError);
		qmp.close();
	});
});

describe("commands out of band", () => {
	it("overtake one that QEMU is busy with", async () => {
		const { qmp, qemu } = await connect({ handlers: { never: () => new Promise(() => {}), "query-yank": () => [] } });
		const waiting = failureOf(qmp.execute("never"));
		expect(await executeTyped(qmp, "query-yank", undefined, { oob: true })).toEqual([]);
		expect(qemu.outOfBand).toBe(1);
		qmp.close();
		await waiting;
	});

	it("are refused here where QEMU has not offered them", async () => {
		const { qmp } = await connect({ capabilities: [] });
		expect(await failureOf(qmp.execute("query-yank", undefined, { oob: true }))).toMatchObject({
			code: "invalid-input",
		});
	});
});

describe("executeTyped", () => {
	it("answers what has the right form, and what a newer QEMU adds", async () => {
		const { qmp } = await connect({ handlers: { "query-name": () => ({ name: "web", colour: [1] }) } });
		expect(await executeTyped(qmp, "query-name")).toEqual({ name: "web", colour: [1] });
		expect(await executeTyped(qmp, "query-version")).toEqual({
			qemu: { major: 7, minor: 2, micro: 22 },
			package: "Debian 1:7.2+dfsg",
		});
		expect(await executeTyped(qmp, "cont")).toEqual({});
		expect(await executeTyped(qmp, "query-block")).toEqual([]);
	});

	it("refuses an answer of another form, and the session lives on", async () => {
		const { qmp } = await connect({ handlers: { "query-status": () => ({ running: "yes" }) } });
		expect(await failureOf(executeTyped(qmp, "query-status"))).toBeInstanceOf(ProtocolError);
		expect(qmp.ended).toBeUndefined();
	});
});
