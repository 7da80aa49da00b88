import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect, it, onTestFinished } from "vitest";
import { openGuestChannel } from "../src/index.ts";

const NAME = "org.example.agent.v1";
const EVERY_BYTE = Buffer.from(Array.from({ length: 256 }, (_, value) => value));

async function until(what: string, condition: () => boolean): Promise<void> {
	const limit = Date.now() + 10_000;
	while (!condition()) {
		if (Date.now() > limit) throw new Error(`Waited in vain: ${what}`);
		await pause(5);
	}
}

it("a channel carries every byte both ways, unchanged, and closes", async () => {
	const folder = mkdtempSync(join(tmpdir(), "bhc-"));
	// script(1) holds the other end of a tty and passes it on: the tty starts as a login's, with echo and all.
	const script = spawn("script", ["-qfc", `tty > ${folder}/tty; exec sleep 60`, "/dev/null"]);
	onTestFinished(() => {
		script.kill();
		rmSync(folder, { recursive: true });
	});
	let written = Buffer.alloc(0);
	script.stdout.on("data", (chunk) => {
		written = Buffer.concat([written, chunk]);
	});
	await until("the tty", () => existsSync(join(folder, "tty")) && readFileSync(join(folder, "tty")).includes(10));
	symlinkSync(readFileSync(join(folder, "tty"), "utf8").trim(), join(folder, NAME));

	const channel = await openGuestChannel(NAME, folder);
	let read = Buffer.alloc(0);
	channel.on("data", (chunk) => {
		read = Buffer.concat([read, chunk]);
	});
	channel.write(EVERY_BYTE);
	await until("all is written", () => written.length === 256);
	expect(written.equals(EVERY_BYTE)).toBe(true);
	script.stdin.write(EVERY_BYTE);
	await until("all is read", () => read.length === 256);
	expect(read.equals(EVERY_BYTE)).toBe(true);
	const closed = new Promise((resolve) => channel.once("close", resolve));
	channel.destroy();
	await closed;
});

it("what is no name, or no channel, is told", async () => {
	await expect(openGuestChannel("../sda")).rejects.toMatchObject({ code: "invalid-input" });
	await expect(openGuestChannel(NAME, "/nowhere")).rejects.toMatchObject({ code: "no-such-channel" });
});
