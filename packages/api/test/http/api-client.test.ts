import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CancelledError, DeadlineError, ProtocolError } from "@bulkhead/base";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ApiClient, ApiError } from "../../src/client/index.ts";

let directory: string;
let socketPath: string;
let server: Server;
let answer: RequestListener;

beforeEach(async () => {
	directory = await mkdtemp(join(tmpdir(), "bulkhead-api-"));
	socketPath = join(directory, "d.sock");
	server = createServer((request, response) => answer(request, response));
	await new Promise<void>((resolve) => server.listen(socketPath, resolve));
});
afterEach(async () => {
	server.closeAllConnections();
	await new Promise((resolve) => server.close(resolve));
	await rm(directory, { recursive: true });
});

describe("ApiClient", () => {
	it("speaks to the routes below the prefix", async () => {
		answer = ({ method, url }, response) => void response.end(JSON.stringify({ method, url }));
		expect(await new ApiClient({ socketPath }).pause("a b")).toEqual({ method: "POST", url: "/v1/guests/a%20b/pause" });
	});

	it("throws the daemon's error with its causes", async () => {
		const body = { code: "a", message: "A", remedy: "R", fields: { f: 1 }, cause: { code: "b", message: "B" } };
		answer = (_, response) => void response.writeHead(409).end(JSON.stringify(body));
		const error = await new ApiClient({ socketPath }).host().catch((thrown: unknown) => thrown);
		expect(error).toBeInstanceOf(ApiError);
		expect(error).toMatchObject({ ...body, cause: { code: "b", message: "B" } });
		expect((error as ApiError).body).toEqual(body);
	});

	it("gives up on a silent daemon at its deadline", async () => {
		answer = () => {};
		await expect(new ApiClient({ socketPath, timeoutMs: 20 }).guests()).rejects.toThrow(DeadlineError);
	});

	it("gives a QMP command its own deadline and some grace", async () => {
		let body = "";
		answer = (request, response) => {
			request.on("data", (part) => {
				body += part;
			});
			request.on("end", () => response.end('{"return":{"x":1}}'));
		};
		const client = new ApiClient({ socketPath, timeoutMs: 1 });
		expect(await client.qmp("g", { command: "stop", timeoutMs: 1000 })).toEqual({ x: 1 });
		expect(JSON.parse(body)).toEqual({ command: "stop", timeoutMs: 1000 });
	});

	it("reads a stream in any chunking", async () => {
		const text = `{"type":"warning","message":"é"}\n{"type":"result","guest":{"name":"ü"}}\n`;
		answer = async (_, response) => {
			for (const byte of Buffer.from(text)) {
				response.write(Buffer.from([byte]));
				await new Promise((resolve) => setImmediate(resolve));
			}
			response.end();
		};
		const lines: object[] = [];
		const result = await new ApiClient({ socketPath }).destroy("g", { onLine: (line) => lines.push(line) });
		expect(lines).toEqual([{ type: "warning", message: "é" }]);
		expect(result).toMatchObject({ guest: { name: "ü" } });
	});

	it("ends the connection when the reader of events leaves", async () => {
		const closed = new Promise<void>((resolve) => {
			answer = (_, response) => {
				response.write('{"type":"heartbeat"}\n');
				response.once("close", () => resolve());
			};
		});
		for await (const event of new ApiClient({ socketPath }).events(undefined, new AbortController().signal)) {
			expect(event.type).toBe("heartbeat");
			break;
		}
		await closed;
	});

	it("ends the events quietly when the signal aborts", async () => {
		answer = (_, response) => void response.write('{"type":"heartbeat"}\n');
		const stop = new AbortController();
		const types: string[] = [];
		for await (const { type } of new ApiClient({ socketPath }).events("g", stop.signal)) {
			types.push(type);
			stop.abort();
		}
		expect(types).toEqual(["heartbeat"]);
	});

	it.each([
		["before the call", true],
		["while it waits", false],
	])("stops an operation that is given up %s", async (_, early) => {
		const stop = new AbortController();
		answer = () => stop.abort();
		if (early) stop.abort();
		await expect(new ApiClient({ socketPath }).destroy("g", { signal: stop.signal })).rejects.toThrow(CancelledError);
	});

	it("tells a peer that does not speak HTTP", async () => {
		const path = join(directory, "other.sock");
		const other = createTcpServer((socket) => void socket.resume().end("hello\n"));
		await new Promise<void>((resolve) => other.listen(path, resolve));
		await expect(new ApiClient({ socketPath: path }).host()).rejects.toThrow(ProtocolError);
		await new Promise((resolve) => other.close(resolve));
	});
});
