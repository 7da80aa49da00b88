import { describe, expect, it } from "vitest";
import {
	createGuestRequest,
	guestDocument,
	hostEvent,
	progressLine,
	qmpRequest,
	serializedError,
	shutdownRequest,
} from "../../src/index.ts";

const ID = "00112233-4455-6677-8899-aabbccddeeff";

describe("the requests' schemas", () => {
	it("fill in what a create request leaves out", () => {
		expect(createGuestRequest.parse({ configText: "", file: "a", baseDir: "/" })).toEqual({
			configText: "",
			file: "a",
			baseDir: "/",
			overrides: [],
			paused: false,
			dryRun: false,
		});
	});

	it.each([
		{ configText: "", file: "a", baseDir: "relative" },
		{ configText: "", file: "", baseDir: "/" },
		{ configText: 1, file: "a", baseDir: "/" },
		{ configText: "", file: "a", baseDir: "/", overrides: [1] },
		{ configText: "", file: "a", baseDir: "/", paused: "yes" },
		[],
	])("refuse %j", (body) => {
		expect(createGuestRequest.safeParse(body).success).toBe(false);
	});

	it("bound deadlines at both ends", () => {
		expect(shutdownRequest.parse({})).toEqual({ wait: false, timeoutMs: 60_000, force: false });
		const allows = (timeoutMs: unknown): boolean => shutdownRequest.safeParse({ timeoutMs }).success;
		expect([0, 1, 3_600_000, 3_600_001, 1.5, "1"].map(allows)).toEqual([false, true, true, false, false, false]);
	});

	it.each(["", "-x", "a b", "a\n", "x".repeat(129), "$(x)"])("refuse the QMP command %j", (command) => {
		expect(qmpRequest.safeParse({ command }).success).toBe(false);
	});

	it("take QMP arguments as they are", () => {
		const request = { command: "x-blockdev_change.2", arguments: { a: [1, { b: null }] }, timeoutMs: 5 };
		expect(qmpRequest.parse(request)).toEqual(request);
	});
});

describe("the documents' schemas", () => {
	const guest = {
		uuid: ID,
		name: "web",
		type: "pv",
		phase: "ended",
		state: "------",
		memoryKiB: 1,
		vcpus: 1,
		cpuSeconds: 0.5,
		uptimeSeconds: 0,
		consoles: [],
		createdAt: "2026-11-21T03:00:00.000Z",
	};

	it("take a guest without a domain", () => {
		expect(guestDocument.parse(guest)).toEqual(guest);
	});

	it.each([
		{ state: "rbpsc" },
		{ state: "dcspbr" },
		{ phase: "well" },
		{ uuid: "x" },
		{ createdAt: "today" },
		{ domid: -1 },
	])("refuse a guest with %j", (change) => {
		expect(guestDocument.safeParse({ ...guest, ...change }).success).toBe(false);
	});

	it("keep an event's details", () => {
		const event = {
			time: guest.createdAt,
			type: "qmp-event",
			guest: { uuid: ID, name: "web" },
			event: "STOP",
			data: { a: 1 },
		};
		expect(hostEvent.parse(event)).toEqual(event);
	});

	it("take an error with its chain of causes", () => {
		const error = { code: "a", message: "b", cause: { code: "c", message: "d", cause: { code: "e", message: "f" } } };
		expect(serializedError.parse(error)).toEqual(error);
		expect(serializedError.safeParse({ code: "a", message: "b", cause: { code: 1 } }).success).toBe(false);
	});

	it("refuse a step in an unknown state", () => {
		const line = { type: "progress", step: "a", title: "A", state: "done", ms: 1 };
		expect(progressLine.parse(line)).toEqual(line);
		expect(progressLine.safeParse({ ...line, state: "napping" }).success).toBe(false);
	});
});
