import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseTrips } from "../src/qmp/trips.ts";

const GREETING = '{"QMP": {"version": {}, "capabilities": []}}\r\n';
const EVENT = '{"timestamp": {"seconds": 1, "microseconds": 2}, "event": "STOP"}\r\n';

/** Greets, after having turned some away, answers each line, and says what it was asked. */
function serve(answer: (line: string, count: number) => string[], turnedAway = 0): { server: Server; asked: string[] } {
	const asked: string[] = [];
	let left = turnedAway;
	const server = createServer((socket: Socket) => {
		if (left-- > 0) {
			socket.destroy();
			return;
		}
		socket.write(GREETING);
		socket.on("error", () => {});
		const lines = createInterface({ input: socket });
		lines.on("error", () => {}); // It repeats the socket's.
		lines.on("line", (line) => {
			asked.push(line);
			for (const piece of answer(line, asked.length)) socket.write(piece);
		});
	});
	return { server, asked };
}

describe("the client in C for QMP", () => {
	let folder: string;
	let program: string;
	beforeAll(async () => {
		folder = await mkdtemp(join(tmpdir(), "bulkhead-trips-"));
		program = join(folder, "trips");
		const source = join(import.meta.dirname, "../src/qmp/trips.c");
		await promisify(execFile)("gcc", ["-O1", "-Wall", "-Wextra", "-Werror", "-o", program, source]);
	});
	afterAll(() => rm(folder, { recursive: true }));

	async function run(server: Server, orders: (path: string) => string): Promise<{ lines: string[]; status: number }> {
		const path = join(folder, "socket");
		server.listen(path);
		await once(server, "listening");
		try {
			const child = spawn(program, { stdio: ["pipe", "pipe", "ignore"] });
			child.stdin.end(orders(path));
			const ended = once(child, "close");
			const lines: string[] = [];
			for await (const line of createInterface({ input: child.stdout })) lines.push(line);
			const [status] = await ended;
			return { lines, status };
		} finally {
			server.close();
		}
	}

	it("has one client ask, or many at once, and tells each round trip", async () => {
		const { server, asked } = serve((line) => [line.includes("caps") ? EVENT : "", '{"return": {}', "}\r\n", EVENT]);
		const { lines, status } = await run(server, (path) => `${path} 1 30\n${path} 16 10\n`);
		expect(status).toBe(0);
		expect(lines.map((line) => parseTrips(line).ms.length)).toEqual([30, 160]);
		expect(asked.filter((line) => line.includes("qmp_capabilities"))).toHaveLength(17);
		expect(asked.filter((line) => line.includes("query-status"))).toHaveLength(190);
	});

	it("comes again when it is not let in", async () => {
		const { server, asked } = serve(() => ['{"return": {}}\r\n'], 3);
		const { lines, status } = await run(server, (path) => `${path} 2 5\n`);
		expect({ status, lines: lines.length, asked: asked.length }).toEqual({ status: 0, lines: 1, asked: 12 });
	});

	it("ends when it is refused", async () => {
		const { server } = serve((_, count) => [
			count < 5 ? '{"return": {}}\r\n' : '{"error": {"class": "GenericError"}}\r\n',
		]);
		expect(await run(server, (path) => `${path} 1 30\n`)).toEqual({ lines: [], status: 1 });
	});
});
