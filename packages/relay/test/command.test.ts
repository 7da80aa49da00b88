import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));

function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
	return spawnSync(process.execPath, ["--import", "tsx", "--conditions=bulkhead-source", main, ...args], {
		encoding: "utf8",
		env: { ...process.env, BULKHEAD_NATIVE_DIR: "/nonexistent" },
		timeout: 20_000,
	});
}

describe("bulkhead-relay", () => {
	it("tells its version and its options", () => {
		expect(run("--version")).toMatchObject({ status: 0, stdout: "bulkhead-relay 0.1.0\n", stderr: "" });
		const help = run("--help");
		expect(help.status).toBe(0);
		expect(help.stdout).toContain("--allow-root");
	});

	it("refuses a wrong command line with status 2", () => {
		const { status, stderr } = run("--frobnicate");
		expect(status).toBe(2);
		expect(stderr).toMatch(/^bulkhead-relay: Command line is wrong\n {2}because: .*frobnicate/s);
	});

	it("fails with a remedy where the Xen devices cannot be opened", () => {
		const { status, stderr } = run(
			"--allow-root",
			"--run-dir",
			"/nonexistent/run",
			"--state-dir",
			"/nonexistent/state",
		);
		expect(status).toBe(1);
		expect(stderr).toMatch(/^bulkhead-relay: .*\n(.*\n)* {2}remedy: /);
	});
});
