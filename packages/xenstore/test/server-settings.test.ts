import { domId, InvalidInputError } from "@bulkhead/base";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Connection } from "../src/client/connection.ts";
import { ServerSettings } from "../src/client/server-settings.ts";
import { XenstoreWatch } from "../src/client/watch.ts";
import { encodeMessage, MessageParser, OPERATION } from "../src/wire/index.ts";
import { type DuplexEnd, duplexPair } from "./duplex-pair.ts";

/** A server of Xen 4.21's protocol as far as these requests go: answers by the strings of the request. */
function serve(end: DuplexEnd, answers: Record<string, string>): string[] {
	const received: string[] = [];
	const parser = new MessageParser();
	end.on("data", (chunk: Buffer) =>
		parser.push(chunk, ({ type, requestId, payload }) => {
			const request = `${type} ${payload.toString().replaceAll("\0", "|")}`;
			received.push(request);
			const answer = answers[request] ?? "E:ENOSYS";
			const isError = answer.startsWith("E:");
			const text = `${isError ? answer.slice(2) : answer}\0`;
			const replyType = isError ? OPERATION.ERROR : type;
			end.write(encodeMessage({ type: replyType, requestId, transactionId: 0, payload: Buffer.from(text) }));
		}),
	);
	return received;
}

const ANSWERS = {
	"23 ": "12",
	"23 7|": "5",
	"24 7|4|": "OK",
	"25 ": "nodes watches transactions",
	"25 nodes|": "1000",
	"25 7|nodes|": "0",
	"26 7|nodes|50|": "OK",
	"10 0|": "/local/domain/0",
	"4 /a|w1|1|": "OK",
};

let ends: [DuplexEnd, DuplexEnd];
let connection: Connection;
let settings: ServerSettings;

beforeEach(() => {
	ends = duplexPair();
	connection = new Connection(
		{ stream: ends[0], payloadBytes: 4096 },
		{ requestTimeoutMs: 5000, backlogBytes: 1_000_000 },
	);
	settings = new ServerSettings(connection);
});

afterEach(() => connection.close());

describe("a server of a newer protocol", () => {
	it("tells and takes features and quotas", async () => {
		const received = serve(ends[1], ANSWERS);
		expect(await settings.features()).toEqual(new Set(["watchDepth", "anyDomain"]));
		expect(await settings.features(domId(7))).toEqual(new Set(["reconnection", "watchDepth"]));
		await settings.setFeatures(domId(7), ["watchDepth"]);
		expect(await settings.quotaNames()).toEqual(["nodes", "watches", "transactions"]);
		expect(await settings.quota("nodes")).toBe(1000);
		expect(await settings.quota("nodes", domId(7))).toBe(0);
		await settings.setQuota("nodes", 50, domId(7));
		expect(received.filter((request) => !request.startsWith("10 "))).toHaveLength(7);
	});

	it("is given a watch's depth", async () => {
		const received = serve(ends[1], ANSWERS);
		const watch = new XenstoreWatch(connection, "/a", { depth: 1 });
		await watch.ready;
		expect(received.at(-1)).toBe("4 /a|w1|1|");
		watch.close();
	});

	it("never hears of a watch that was closed while it was asked for its features", async () => {
		const received = serve(ends[1], ANSWERS);
		const watch = new XenstoreWatch(connection, "/a", { depth: 1 });
		watch.close();
		await settings.quota("nodes");
		expect(received.filter((request) => request.startsWith("4 "))).toEqual([]);
	});
});

describe("an older server", () => {
	it("makes each of them fail with its own code", async () => {
		serve(ends[1], { "10 0|": "/local/domain/0" });
		const unsupported = { code: "xenstore-unsupported", errno: "ENOSYS" };
		await expect(settings.features()).rejects.toMatchObject(unsupported);
		await expect(settings.quotaNames()).rejects.toMatchObject(unsupported);
		await expect(settings.setQuota("nodes", 5)).rejects.toMatchObject(unsupported);
		const watch = new XenstoreWatch(connection, "/a", { depth: 0 });
		await expect(watch.next()).rejects.toMatchObject({ code: "xenstore-unsupported" });
		await expect(watch.ready).rejects.toMatchObject({ code: "xenstore-unsupported" });
	});
});

describe("bad input", () => {
	it("is not sent", async () => {
		const received = serve(ends[1], ANSWERS);
		await expect(settings.setQuota("nodes", -1)).rejects.toBeInstanceOf(InvalidInputError);
		await expect(settings.quota("no des")).rejects.toBeInstanceOf(InvalidInputError);
		expect(() => new XenstoreWatch(connection, "/a", { depth: -1 })).toThrow(InvalidInputError);
		expect(received).toEqual([]);
	});
});
