import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DOM0, randomUuid } from "@bulkhead/base";
import { FakeRingHost } from "@bulkhead/console/testing";
import { expect, it, onTestFinished } from "vitest";
import { dialQmp } from "../src/qmp/dial-qmp.ts";
import { RelayWorld } from "./relay-world.ts";
import { until } from "./until.ts";

const GREETING = { QMP: { version: { qemu: { major: 7, minor: 2, micro: 19 }, package: "" }, capabilities: [] } };

/** A QEMU's monitor as far as a session needs one. */
async function monitor(): Promise<{ path: string; peers: Set<Socket> }> {
	const folder = mkdtempSync(join(tmpdir(), "bhq-"));
	const path = join(folder, "qmp");
	const peers = new Set<Socket>();
	const server = createServer((peer) => {
		peers.add(peer);
		peer.once("close", () => peers.delete(peer));
		peer.write(`${JSON.stringify(GREETING)}\r\n`);
		let pending = "";
		peer.on("data", (chunk) => {
			const lines = (pending + chunk.toString()).split("\n");
			pending = lines.pop() ?? "";
			for (const line of lines.filter((each) => each.trim() !== "")) {
				const { id, execute } = JSON.parse(line) as { id?: unknown; execute: string };
				const answer = execute === "query-status" ? { status: "running", running: true } : {};
				peer.write(`${JSON.stringify({ return: answer, id })}\r\n`);
			}
		});
	});
	await new Promise<void>((resolve) => server.listen(path, resolve));
	onTestFinished(() => {
		for (const peer of peers) peer.destroy();
		server.close();
		rmSync(folder, { recursive: true, force: true });
	});
	return { path, peers };
}

it("a QEMU in domain 0 is served over its unix socket as others over their vchan", async () => {
	const { path, peers } = await monitor();
	const { client, notifications } = await RelayWorld.start({ dial: dialQmp(new FakeRingHost()) });
	const guest = randomUuid();
	const limit = { timeoutMs: 10_000 };
	const request = { guest, domid: DOM0, path, greetingTimeoutMs: 5000 };
	expect(await client.request("attach-qmp", request, limit)).toEqual({ qemuVersion: "7.2.19", status: "running" });
	expect((await client.request("attach-qmp", request, limit)).status).toBe("running");
	expect(peers.size).toBe(1);
	expect((await client.request("list", {}, limit)).qmps).toMatchObject([{ guest, path, state: "connected" }]);
	for (const peer of peers) peer.destroy();
	await until("the end of the session", () => notifications.some(({ name }) => name === "qmp-ended"));
});

it("a socket that is not there is a deadline's error with its path", async () => {
	const { client } = await RelayWorld.start({ dial: dialQmp(new FakeRingHost()) });
	const request = { guest: randomUuid(), domid: DOM0, path: "/nonexistent/qmp", greetingTimeoutMs: 200 };
	await expect(client.request("attach-qmp", request, { timeoutMs: 5000 })).rejects.toMatchObject({
		cause: { code: "cannot-connect" },
	});
});

it.each(["relative/qmp", "/a\0b", `/${"x".repeat(107)}`])("the path %j is refused", async (path) => {
	const { client } = await RelayWorld.start({});
	const request = { guest: randomUuid(), domid: DOM0, path, greetingTimeoutMs: 200 };
	await expect(client.request("attach-qmp", request, { timeoutMs: 5000 })).rejects.toMatchObject({
		code: "invalid-input",
	});
});
