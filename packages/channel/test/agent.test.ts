import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { describe, expect, it, onTestFinished } from "vitest";
import { AgentSession, connectChannel, LineReader } from "../src/index.ts";

const AGENT = new URL("../guest/channel-agent", import.meta.url).pathname;

/** The agent of the guest, run here: its channel is a socket instead of a tty. */
async function agent(): Promise<{ state: string; socket: Socket; child: ChildProcess }> {
	const state = mkdtempSync(join(tmpdir(), "bha-"));
	const server = createServer().listen(join(state, "socket"));
	await once(server, "listening");
	const script = readFileSync(AGENT, "utf8")
		.replace('exec <> "$channel" || exit 1', "")
		.replace("stty raw -echo", "")
		.replaceAll(">&0", ">&1");
	const child = spawn("sh", ["-c", script, "channel-agent"], {
		env: { ...process.env, CHANNEL_AGENT_STATE: join(state, "agent") },
		stdio: ["pipe", "pipe", "inherit"],
	});
	server.on("connection", (guest) => {
		guest.pipe(child.stdin as never);
		child.stdout?.pipe(guest);
	});
	const { connect } = await import("node:net");
	const socket = connect(join(state, "socket"));
	onTestFinished(() => {
		child.kill();
		socket.destroy();
		server.close();
		rmSync(state, { recursive: true });
	});
	return { state: join(state, "agent"), socket, child };
}

describe("the guest's agent", () => {
	it("says who it is, takes its configuration once, and text", async () => {
		const { state, socket } = await agent();
		const session = await AgentSession.open(socket);
		expect(session.hostname).not.toBe("");
		expect(await session.configure("hostname=first\n")).toBe(true);
		expect(await session.configure("hostname=second\n")).toBe(false);
		expect(readFileSync(join(state, "config"), "utf8")).toBe("hostname=first\n");
		await session.setClipboard("two\nlines, ünïcode");
		expect(readFileSync(join(state, "clipboard"), "utf8")).toBe("two\nlines, ünïcode");
		session.close();
	});
});

describe("a session", () => {
	function pair(): { host: PassThrough; say: (line: string) => void; heard: () => string } {
		let heard = "";
		const host = new PassThrough();
		const write = host.write.bind(host);
		host.write = ((text: string) => {
			heard += text;
			return true;
		}) as never;
		return { host, say: (line) => void write(line), heard: () => heard };
	}

	it("passes over an echo and the rest of an earlier conversation", async () => {
		const { host, say, heard } = pair();
		const texts: string[] = [];
		const opening = AgentSession.open(host, { onClipboard: (text) => texts.push(text) });
		say("ok cli\nhello\nhello 1 guest\nok shutdown\n");
		say(`clipboard ${Buffer.from("copied").toString("base64")}\n`);
		const session = await opening;
		expect(session.hostname).toBe("guest");
		const done = session.shutdown("poweroff");
		await new Promise(setImmediate);
		say("ok shutdown\n");
		await done;
		expect(heard()).toBe("\nhello\nshutdown poweroff\n");
		expect(texts).toEqual(["copied"]);
		host.destroy();
	});

	it("ends when the channel does, whatever is awaited", async () => {
		const { host, say } = pair();
		const opening = AgentSession.open(host);
		say("hello 1 guest\n");
		const session = await opening;
		const asked = session.setClipboard("x");
		await new Promise(setImmediate);
		host.destroy();
		await expect(asked).rejects.toMatchObject({ code: "cancelled" });
		await expect(session.shutdown("reboot")).rejects.toMatchObject({ code: "cancelled" });
	});

	it("gives an agent up that does not answer", async () => {
		const { host } = pair();
		await expect(AgentSession.open(host, { greetingMs: 50 })).rejects.toMatchObject({ code: "deadline-exceeded" });
		expect(host.destroyed).toBe(true);
	});
});

describe("lines", () => {
	it("come whole, whatever the pieces", async () => {
		const stream = new PassThrough();
		const lines = new LineReader(stream);
		for (const byte of Buffer.from("one\r\ntwo\nthree")) stream.write(Buffer.of(byte));
		expect([await lines.next(), await lines.next()]).toEqual(["one", "two"]);
		stream.end();
		await expect(lines.next()).rejects.toMatchObject({ code: "cancelled" });
	});

	it("have a limit each, at it and above it", async () => {
		const stream = new PassThrough();
		const lines = new LineReader(stream);
		stream.write(Buffer.alloc(1 << 20, "a"));
		stream.write("\n");
		expect(await lines.next()).toHaveLength(1 << 20);
		stream.write(Buffer.alloc((1 << 20) + 1, "a"));
		await expect(lines.next()).rejects.toMatchObject({ code: "protocol-error" });
		expect(stream.destroyed).toBe(true);
	});
});

describe("a channel on the host", () => {
	async function daemon(channels: object[]): Promise<{ apiSocket: string; folder: string }> {
		const folder = mkdtempSync(join(tmpdir(), "bha-"));
		const { createServer: createHttp } = await import("node:http");
		const server = createHttp((_, response) => {
			response.setHeader("content-type", "application/json").end(JSON.stringify(channels));
		}).listen(join(folder, "api"));
		await once(server, "listening");
		onTestFinished(() => {
			server.close();
			rmSync(folder, { recursive: true });
		});
		return { apiSocket: join(folder, "api"), folder };
	}

	it("is found by guest and name", async () => {
		const folder = mkdtempSync(join(tmpdir(), "bha-"));
		const path = join(folder, "agent.sock");
		const server = createServer((socket) => socket.end("hello")).listen(path);
		await once(server, "listening");
		onTestFinished(() => {
			server.close();
			rmSync(folder, { recursive: true });
		});
		const { apiSocket } = await daemon([{ name: "a", connection: "socket", socketPath: path }]);
		const socket = await connectChannel({ guest: "web", name: "a", apiSocket });
		expect((await socket.toArray()).join("")).toBe("hello");
		await expect(connectChannel({ guest: "web", name: "b", apiSocket })).rejects.toMatchObject({
			code: "no-such-device",
		});
	});

	it("is told to be a pty, or to be out of reach", async () => {
		const { apiSocket, folder } = await daemon([
			{ name: "p", connection: "pty", ptyPath: "/dev/pts/3" },
			{ name: "s", connection: "socket", socketPath: "/nowhere/agent.sock" },
		]);
		expect(folder).toBeTruthy();
		await expect(connectChannel({ guest: "web", name: "p", apiSocket })).rejects.toThrow("/dev/pts/3");
		await expect(connectChannel({ guest: "web", name: "s", apiSocket })).rejects.toMatchObject({
			code: "channel-unreachable",
		});
	});
});
