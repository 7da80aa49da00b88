import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { delay, domId, findProcess, isRunning, stopProcess } from "@bulkhead/base";
import { XenstoreClient } from "@bulkhead/xenstore";
import { XenstoreServer } from "@bulkhead/xenstore/server";
import { describe, expect, it, onTestFinished } from "vitest";
import { serialTtys, vncServer } from "../src/device-model/dom0/configure-qemu.ts";
import {
	announceLocalQemu,
	awaitLocalQemu,
	awaitLocalQemuEnd,
	removeLocalQemu,
	startLocalQemu,
} from "../src/device-model/dom0/local-qemu.ts";
import { startQemu } from "../src/device-model/dom0/qemu-process.ts";
import type { GuestRuntime } from "../src/runtime.ts";
import { hvmConfig } from "./fixtures.ts";

const GUEST = domId(5);
const STATE = "/local/domain/0/device-model/5/state";
/** Stands for QEMU: prints what it was given, then waits until it is ended. */
const PATIENT = `#!/bin/sh
trap 'echo bye; exit 0' TERM
for each in "$@" "XEN_DOMAIN_ID=$XEN_DOMAIN_ID" "HOME=$HOME"; do echo "$each"; done
while :; do sleep 0.02; done
`;
const STUBBORN = "#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 0.02; done\n";
const BROKEN = "#!/bin/sh\necho 'qemu: no such option' >&2\nexit 1\n";
const wait = { timeoutMs: 5000, signal: new AbortController().signal };

async function world(script: string): Promise<{
	context: Parameters<typeof startLocalQemu>[0] & { runtime: GuestRuntime };
	server: XenstoreServer;
	binary: string;
	saved: () => number;
}> {
	const folder = await mkdtemp(join(tmpdir(), "bulkhead-qemu-"));
	const binary = join(folder, "qemu");
	await writeFile(binary, script);
	await chmod(binary, 0o755);
	const server = new XenstoreServer();
	const xenstore = XenstoreClient.over(server.connectClient());
	let saves = 0;
	const context = {
		config: hvmConfig({ deviceModel: { place: "dom0", restrict: false, args: [], argsHvm: [], argsPv: [] } }),
		runtime: { guest: { uuid: hvmConfig().uuid, domid: GUEST }, qemu: {} } as GuestRuntime,
		xenstore,
		openDisks: new Map(),
		places: {
			bootFolder: join(folder, "boot"),
			qemuFolder: join(folder, "run"),
			imageFolder: join(folder, "images"),
			qemuLog: join(folder, "log", "qemu.log"),
			xenRunFolder: join(folder, "xen"),
		},
		saveRuntime: async () => {
			saves++;
		},
	};
	onTestFinished(async () => {
		await removeLocalQemu(context);
		xenstore.close();
		await server.close();
		await rm(folder, { recursive: true });
	});
	return { context, server, binary, saved: () => saves };
}

/** The stand-in has told all, so it also takes signals. */
async function untilUp(logFile: string): Promise<void> {
	const limit = Date.now() + 10_000;
	while (!(await readFile(logFile, "utf8")).includes("HOME=\n")) {
		if (Date.now() > limit) throw new Error("The stand-in for QEMU never came up");
		await delay(10);
	}
}

describe("a QEMU in domain 0", () => {
	it("is started with its arguments and nothing of our environment, awaited, written down, ended without a trace", async () => {
		const { context, server, binary, saved } = await world(PATIENT);
		const { places, runtime } = context;
		await announceLocalQemu(context);
		const before = server.host.toJSON();
		expect(before["/local/domain/5/hvmloader/bios"]).toBe("seabios");
		await startLocalQemu(context, binary);
		expect(saved()).toBe(1);
		expect(server.host.toJSON()["/local/domain/5/image/device-model-pid"]).toBe(`${runtime.qemu?.pid}`);
		expect((await stat(places.qemuFolder)).mode & 0o777).toBe(0o711);
		await untilUp(places.qemuLog);
		server.host.write(STATE, "running");
		await awaitLocalQemu(context, wait);
		await removeLocalQemu(context);
		const log = (await readFile(places.qemuLog, "utf8")).split("\n");
		expect(log.slice(0, 3)).toEqual(["-xen-domid", "5", "-no-shutdown"]);
		expect(log).toContain(`socket,id=libxl-cmd,path=${places.qemuFolder}/qmp,server=on,wait=off`);
		expect(log.slice(-4)).toEqual(["XEN_DOMAIN_ID=5", "HOME=", "bye", ""]);
		expect(Object.keys(server.host.toJSON()).filter((path) => path.includes("device-model/"))).toEqual([]);
		await expect(stat(places.qemuFolder)).rejects.toThrow("ENOENT");
		await removeLocalQemu(context);
	});

	it("that ends before it runs is an error at once, with what it said", async () => {
		const { context, binary } = await world(BROKEN);
		await startLocalQemu(context, binary).catch(() => {});
		await expect(
			context.runtime.qemu?.pid === undefined
				? Promise.reject(new Error("QEMU ended as soon as it was started"))
				: awaitLocalQemu(context, wait),
		).rejects.toThrow(/QEMU ended/);
		expect(await readFile(context.places.qemuLog, "utf8")).toContain("no such option");
	});

	it("that cannot be started is an error, and none that hides behind a later process's number", async () => {
		const { context } = await world(PATIENT);
		await expect(startLocalQemu(context, "/nonexistent/qemu")).rejects.toMatchObject({ code: "device-model-failed" });
		const mine = { pid: process.pid, startTime: "1" };
		expect(await isRunning(mine)).toBe(false);
		await stopProcess(mine, { title: "It", graceMs: 10, killMs: 10 });
	});

	it("is found by its socket when its start was not written down, and its end is noticed by whoever watches", async () => {
		const { context, binary } = await world(PATIENT);
		await startLocalQemu(context, binary);
		await untilUp(context.places.qemuLog);
		const { qemu = {} } = context.runtime;
		const end = awaitLocalQemuEnd(qemu, context.places.qemuLog, wait.signal);
		context.runtime.qemu = {};
		await removeLocalQemu(context);
		expect(await end).toBe("QEMU ended: bye");
	});

	it("is killed when it does not end by itself", async () => {
		const { context, binary } = await world(STUBBORN);
		const log = await import("../src/device-model/dom0/qemu-log.ts").then(({ openLog }) =>
			openLog(context.places.qemuLog),
		);
		const identity = await startQemu({ binary, args: ["--stubborn-test-mark"], env: {}, logFd: log.fd });
		await log.close();
		expect(await findProcess("--stubborn-test-mark")).toEqual(identity);
		await stopProcess(identity, { title: "It", graceMs: 300, killMs: 5000 });
		expect(await isRunning(identity)).toBe(false);
	});

	it("has its older logs kept, ten of them", async () => {
		const { context } = await world(PATIENT);
		const { openLog } = await import("../src/device-model/dom0/qemu-log.ts");
		for (let at = 0; at < 13; at++) {
			const log = await openLog(context.places.qemuLog);
			await log.write(`${at}`);
			await log.close();
		}
		expect(await readFile(context.places.qemuLog, "utf8")).toBe("12");
		expect(await readFile(`${context.places.qemuLog}.10`, "utf8")).toBe("2");
		await expect(stat(`${context.places.qemuLog}.11`)).rejects.toThrow("ENOENT");
	});
});

describe("what QEMU answers", () => {
	it("is taken for a pty only where it is one", () => {
		const good = { label: "serial0", filename: "pty:/dev/pts/3" };
		const bad = [
			{ label: "serial1", filename: "pty:/etc/passwd" },
			{ label: "serial99", filename: "pty:/dev/pts/4" },
			{ label: "monitor", filename: "pty:/dev/pts/4" },
			{ label: 1 },
			null,
		];
		expect(serialTtys([good, ...bad])).toEqual([{ port: 0, path: "/dev/pts/3" }]);
		expect(serialTtys({ length: 1 })).toEqual([]);
	});

	it("is taken for a VNC server only with an address and a port", () => {
		expect(vncServer({ host: "127.0.0.1", service: "5900" })).toEqual({ host: "127.0.0.1", port: 5900 });
		for (const answer of [undefined, {}, { host: "a\nb", service: "1" }, { host: "::", service: "99999" }])
			expect(vncServer(answer)).toBeUndefined();
	});
});
