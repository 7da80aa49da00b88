import type { AttachQmp } from "@bulkhead/api/relay";
import { BulkheadError, domId, evtchnPort, grantRef, randomUuid } from "@bulkhead/base";
import { describe, expect, it } from "vitest";
import type { QmpConnection, QmpDialer, QmpEvent } from "../src/qmp/qmp-dialer.ts";
import { DEFAULT_QMP_POLICY } from "../src/qmp/qmp-policy.ts";
import { RelayWorld } from "./relay-world.ts";
import { until } from "./until.ts";

const limit = { timeoutMs: 10_000 };

class FakeQemu {
	attempts = 0;
	/** Attempts that fail before one succeeds. */
	deaf = 0;
	open = 0;
	status: unknown = { status: "running", running: true };
	executed: [string, unknown][] = [];
	tell: (event: QmpEvent) => void = () => {};
	die: (error: Error) => void = () => {};

	readonly dial: QmpDialer = async (_place, { onEvent, onClosed }): Promise<QmpConnection> => {
		if (this.attempts++ < this.deaf) throw new BulkheadError("no-greeting", "QEMU did not greet");
		this.open++;
		this.tell = onEvent;
		this.die = (error) => {
			this.open--;
			onClosed(error);
		};
		return {
			version: { major: 7, minor: 2, micro: 19, package: "" },
			execute: async (command, args) => {
				this.executed.push([command, args]);
				if (command === "query-status") return this.status;
				if (command === "query-block") throw new BulkheadError("qmp-refused", "Device not found");
				return {};
			},
			close: () => {
				this.open--;
			},
		};
	};
}

function attach(changes: Partial<AttachQmp> = {}): AttachQmp {
	return {
		guest,
		domid: domId(6),
		ringRef: grantRef(17),
		remotePort: evtchnPort(4),
		greetingTimeoutMs: 5000,
		...changes,
	};
}

const guest = randomUuid();

describe("relay: QMP", () => {
	it("connects, is asked again, executes and lets go", async () => {
		const qemu = new FakeQemu();
		const { client } = await RelayWorld.start({ dial: qemu.dial });
		expect(await client.request("attach-qmp", attach(), limit)).toEqual({ qemuVersion: "7.2.19", status: "running" });
		qemu.status = { status: "paused" };
		expect(await client.request("attach-qmp", attach(), limit)).toEqual({ qemuVersion: "7.2.19", status: "paused" });
		expect(qemu.attempts).toBe(1);
		const args = { "guest-panic": true };
		const request = { guest, command: "system_powerdown", arguments: args, timeoutMs: 1000 };
		expect(await client.request("qmp-execute", request, limit)).toEqual({ return: {} });
		expect(qemu.executed.at(-1)).toEqual(["system_powerdown", args]);
		expect((await client.request("list", {}, limit)).qmps).toMatchObject([{ guest, state: "connected" }]);
		await client.request("detach-qmp", { guest }, limit);
		await client.request("detach-qmp", { guest }, limit);
		expect(qemu.open).toBe(0);
		await expect(client.request("qmp-execute", request, limit)).rejects.toMatchObject({ code: "no-such-qmp" });
	});

	it("tries again while QEMU does not greet", async () => {
		const qemu = new FakeQemu();
		qemu.deaf = 3;
		const { client } = await RelayWorld.start({ dial: qemu.dial });
		await client.request("attach-qmp", attach(), limit);
		expect(qemu.attempts).toBe(4);
	});

	it("lets a command wait for a session that is being made, no longer than its time", async () => {
		const qemu = new FakeQemu();
		qemu.deaf = 2;
		const { client } = await RelayWorld.start({ dial: qemu.dial });
		const attached = client.request("attach-qmp", attach(), limit);
		const command = { guest, command: "query-name" };
		const impatient = client.request("qmp-execute", { ...command, timeoutMs: 10 }, limit);
		const patient = client.request("qmp-execute", { ...command, timeoutMs: 5000 }, limit);
		await expect(impatient).rejects.toMatchObject({ code: "deadline-exceeded" });
		expect(await patient).toEqual({ return: {} });
		await attached;
	});

	it("gives up at the deadline, with the last failure as the cause", async () => {
		const qemu = new FakeQemu();
		qemu.deaf = Number.POSITIVE_INFINITY;
		const { client } = await RelayWorld.start({ dial: qemu.dial });
		await expect(client.request("attach-qmp", attach({ greetingTimeoutMs: 250 }), limit)).rejects.toMatchObject({
			code: "deadline-exceeded",
			cause: { code: "no-greeting" },
		});
		expect((await client.request("list", {}, limit)).qmps).toEqual([]);
	});

	it("stops trying when the guest is forgotten", async () => {
		const qemu = new FakeQemu();
		qemu.deaf = Number.POSITIVE_INFINITY;
		const { client } = await RelayWorld.start({ dial: qemu.dial });
		const refused = expect(client.request("attach-qmp", attach(), limit)).rejects.toMatchObject({ code: "cancelled" });
		await until("an attempt", () => qemu.attempts > 0);
		await client.request("forget-guest", { guest }, limit);
		await refused;
	});

	it("replaces the session when the stub is another", async () => {
		const qemu = new FakeQemu();
		const { client } = await RelayWorld.start({ dial: qemu.dial });
		await client.request("attach-qmp", attach(), limit);
		await client.request("attach-qmp", attach({ domid: domId(8) }), limit);
		expect(qemu.open).toBe(1);
		expect((await client.request("list", {}, limit)).qmps).toMatchObject([{ domid: 8 }]);
	});

	it("refuses commands that the policy does not name", async () => {
		const qemu = new FakeQemu();
		const { client } = await RelayWorld.start({ dial: qemu.dial });
		await client.request("attach-qmp", attach(), limit);
		for (const command of ["pmemsave", "screendump", "migrate", "chardev-add", "qmp_capabilities"])
			await expect(client.request("qmp-execute", { guest, command, timeoutMs: 1000 }, limit)).rejects.toMatchObject({
				code: "qmp-command-refused",
				remedy: expect.any(String) as string,
			});
		const long = { guest, command: "device_add", arguments: { id: "x".repeat(70_000) }, timeoutMs: 1000 };
		await expect(client.request("qmp-execute", long, limit)).rejects.toMatchObject({
			code: "qmp-arguments-too-long",
		});
		expect(qemu.executed.map(([command]) => command)).toEqual(["query-status"]);
	});

	it("passes QEMU's refusal on", async () => {
		const qemu = new FakeQemu();
		const { client } = await RelayWorld.start({ dial: qemu.dial });
		await client.request("attach-qmp", attach(), limit);
		const query = { guest, command: "query-block", timeoutMs: 1000 };
		await expect(client.request("qmp-execute", query, limit)).rejects.toMatchObject({ code: "qmp-refused" });
	});

	it("tells events on, up to the permitted rate and size", async () => {
		const qemu = new FakeQemu();
		const policy = { ...DEFAULT_QMP_POLICY, events: { burst: 5, perSecond: 0 } };
		const { client, notifications } = await RelayWorld.start({ dial: qemu.dial, policy });
		await client.request("attach-qmp", attach(), limit);
		qemu.tell({ event: "BAD\u001b[2J" });
		qemu.tell({ event: "HUGE", data: "x".repeat(70_000) });
		qemu.tell({ event: "SHUTDOWN", data: { guest: "yes", reason: "guest-shutdown" } });
		const data = { guest: true, reason: "guest-shutdown" };
		qemu.tell({ event: "SHUTDOWN", data, timestamp: 5 });
		for (let count = 0; count < 1000; count++) qemu.tell({ event: "STOP" });
		await until("the permitted events", () => notifications.length === 5);
		const [first] = notifications;
		expect(first).toEqual({
			name: "qmp-event",
			params: { guest, event: "SHUTDOWN", data, timestamp: 5 },
		});
		expect((await client.request("list", {}, limit)).qmps).toMatchObject([{ events: 5, droppedEvents: 999 }]);
	});

	it("tells when a session is lost, and can be attached again", async () => {
		const qemu = new FakeQemu();
		const { client, notifications } = await RelayWorld.start({ dial: qemu.dial });
		await client.request("attach-qmp", attach(), limit);
		qemu.die(new Error("peer closed \u001b[31mthe ring"));
		await until("the notification", () => notifications.length === 1);
		expect(notifications[0]).toEqual({
			name: "qmp-ended",
			params: { guest, domid: 6, reason: "peer closed \\u{1b}[31mthe ring" },
		});
		expect((await client.request("list", {}, limit)).qmps).toEqual([]);
		await client.request("attach-qmp", attach(), limit);
	});

	it("does not believe a status that is none", async () => {
		const qemu = new FakeQemu();
		qemu.status = { status: "running\n; rm" };
		const { client } = await RelayWorld.start({ dial: qemu.dial });
		await expect(client.request("attach-qmp", attach(), limit)).rejects.toMatchObject({ code: "protocol-error" });
		expect(qemu.open).toBe(0);
	});
});
