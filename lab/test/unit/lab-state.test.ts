import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type LabPaths, labPaths } from "../../src/lab-paths.ts";
import { findLiveState, type LabState, writeLabState } from "../../src/lab-state.ts";
import { findProcessIdentity, isSameProcess } from "../../src/process-identity.ts";

const STATE: Omit<LabState, "machine"> = {
	sshPort: 1,
	ready: true,
	startedAt: "2026-01-01T00:00:00Z",
	description: {
		release: "r",
		xen: "x",
		xenstored: "xenstored",
		kernel: "k",
		qemu: "q",
		emulator: "e",
		node: "n",
		accel: "tcg",
	},
	installed: {},
};

describe("findLiveState", () => {
	let home: string;
	let paths: LabPaths;
	beforeEach(async () => {
		home = await mkdtemp(`${tmpdir()}/lab-`);
		paths = labPaths({ XDG_STATE_HOME: home });
		await mkdir(paths.dir, { recursive: true });
	});
	afterEach(() => rm(home, { recursive: true }));

	it("finds the state of a process that lives, and forgets it when it dies", async () => {
		const child = spawn("sleep", ["60"]);
		const machine = await findProcessIdentity(child.pid ?? 0);
		if (!machine) throw new Error("sleep did not start");
		await writeLabState(paths, { ...STATE, machine });
		expect(await findLiveState(paths)).toEqual({ ...STATE, machine });
		child.kill("SIGKILL");
		await once(child, "exit");
		expect(await findLiveState(paths)).toBeUndefined();
	});

	it("is not fooled by a process id that was given to another process", async () => {
		const us = await findProcessIdentity(process.pid);
		expect(us && (await isSameProcess(us))).toBe(true);
		await writeLabState(paths, { ...STATE, machine: { pid: process.pid, startTicks: "1" } });
		expect(await findLiveState(paths)).toBeUndefined();
	});

	it("takes a damaged or absent file for no lab", async () => {
		expect(await findLiveState(paths)).toBeUndefined();
		await writeFile(paths.state, '{"machine":');
		expect(await findLiveState(paths)).toBeUndefined();
		await writeFile(paths.state, "{}");
		expect(await findLiveState(paths)).toBeUndefined();
	});
});

describe("labPaths", () => {
	it("refuses a folder in which unix sockets would have too long names", () => {
		expect(() => labPaths({ XDG_STATE_HOME: `/${"x".repeat(90)}` })).toThrow("too long");
	});
});
