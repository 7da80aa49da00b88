import { existsSync, statSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { listen } from "../src/serve/listen.ts";
import { ServedWorld } from "./served-world.ts";
import { temporaryDirectory } from "./temporary-directory.ts";
import { until } from "./until.ts";

async function dial(path: string): Promise<{ socket: Socket; output(): string; ended: boolean }> {
	const socket = connect({ path, allowHalfOpen: true });
	const parts: Uint8Array[] = [];
	const dialled = { socket, output: () => Buffer.concat(parts).toString("latin1"), ended: false };
	socket.on("data", (chunk) => parts.push(chunk));
	socket.on("error", () => {});
	socket.on("end", () => {
		dialled.ended = true;
	});
	onTestFinished(() => void socket.destroy());
	await new Promise<void>((resolve) => socket.once("connect", resolve));
	return dialled;
}

describe("a console's raw socket", () => {
	it("serves several readers and one writer", async () => {
		const world = await ServedWorld.start();
		expect(statSync(world.rawPath).mode & 0o777).toBe(0o600);
		const first = await dial(world.rawPath);
		const second = await dial(world.rawPath);
		await until("two readers", () => world.console.backend.readers === 2);
		world.frontend.write(Buffer.from("\u0000hi\xff", "latin1"));
		await until("both read", () => first.output() === "\u0000hi\xff" && second.output() === "\u0000hi\xff");
		second.socket.write("ignored");
		first.socket.write("a\r");
		await until("the writer's input", () => Buffer.from(world.frontend.received).toString() === "a\r");
		first.socket.destroy();
		world.host.devices.hangUpAll();
		await until("one reader", () => world.console.backend.readers === 1);
		second.socket.write("b");
		await until("the next writer's input", () => Buffer.from(world.frontend.received).toString() === "a\rb");
	});

	it("goes on reading to a client that has no more to type, until that one is gone", async () => {
		const world = await ServedWorld.start();
		world.frontend.takesInput = false;
		const piping = await dial(world.rawPath);
		piping.socket.end(Buffer.alloc(2500, "z"));
		await until("all read", () => world.console.backend.input.counterAfterQueue === 2500);
		const next = await dial(world.rawPath);
		await until("two readers", () => world.console.backend.readers === 2);
		world.frontend.takesInput = true;
		world.frontend.takeInput();
		await until("all typed", () => world.frontend.received.length === 2500);
		next.socket.write("!");
		await until("the next one's input", () => world.frontend.received.length === 2501);
		world.frontend.write(Buffer.from("answer"));
		await until("the answer", () => piping.output() === "answer");
		piping.socket.destroy();
		world.host.devices.hangUpAll();
		await until("one reader", () => world.console.backend.readers === 1);
	});

	it("gives its readers the last words", async () => {
		const world = await ServedWorld.start();
		const reader = await dial(world.rawPath);
		await until("a reader", () => world.console.backend.readers === 1);
		world.frontend.write(Buffer.alloc(60_000, "w"));
		await until("mostly recorded", () => world.frontend.backlog === 0);
		const closed = world.console.close("detached");
		await until("the end", () => reader.ended);
		expect(reader.output().length).toBe(60_000);
		await closed;
		expect(existsSync(world.rawPath)).toBe(false);
	});

	it("takes a stale socket's place, and no file's", async () => {
		const { createServer } = await import("node:net");
		const directory = temporaryDirectory();
		const path = join(directory, "s.sock");
		const first = createServer();
		await listen(first, path);
		const second = createServer();
		await listen(second, path);
		first.close();
		second.close();
		const file = join(directory, "precious");
		writeFileSync(file, "x");
		await expect(listen(createServer(), file)).rejects.toThrow(/Cannot listen/);
		expect(existsSync(file)).toBe(true);
		await expect(listen(createServer(), join(directory, "x".repeat(100)))).rejects.toThrow(/too long/);
	});
});
