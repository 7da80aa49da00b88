import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CancelledError, DeadlineError } from "@bulkhead/base";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { NativeHotplugScripts } from "../src/native/hotplug-scripts.ts";

const TIMEOUT_MS = 10_000;

describe("hot-plug scripts", () => {
	const scripts = new NativeHotplugScripts();
	let folder: string;
	beforeEach(async () => {
		folder = await mkdtemp(join(tmpdir(), "bulkhead-scripts-"));
	});
	afterEach(() => rm(folder, { recursive: true }));

	async function script(body: string): Promise<string> {
		const path = join(folder, "script");
		await writeFile(path, `#!/bin/sh\n${body}\n`);
		await chmod(path, 0o755);
		return path;
	}

	test("get their arguments as they are, their environment and no more, and nothing to read", async () => {
		const path = await script('printf "%s|" "$@" "$vif" "$HOME" "$PWD"; cat; echo told >&2; exit 3');
		const args = ["online", "a b; $(c)"];
		const { exitCode, output } = await scripts.run({ path, args, env: { vif: "vif1.0" }, timeoutMs: TIMEOUT_MS });
		expect(exitCode).toBe(3);
		expect(output).toContain("online|a b; $(c)|vif1.0||/|");
		expect(output).toContain("told\n");
	});

	test("are killed at their deadline, with what they have started", async () => {
		const pidFile = join(folder, "pid");
		const path = await script(`sleep 60 & echo $! > ${pidFile}; wait`);
		const run = scripts.run({ path, args: [], env: {}, timeoutMs: 300 });
		await expect(run).rejects.toThrow(DeadlineError);
		const pid = Number(await readFile(pidFile, "utf8"));
		await expect.poll(() => isRunning(pid), { timeout: TIMEOUT_MS }).toBe(false);
	});

	test("are killed when nobody wants them any more", async () => {
		const stop = new AbortController();
		const path = await script("sleep 60");
		const run = scripts.run({ path, args: [], env: {}, timeoutMs: TIMEOUT_MS, signal: stop.signal });
		stop.abort();
		await expect(run).rejects.toThrow(CancelledError);
		await expect(scripts.run({ path, args: [], env: {}, timeoutMs: 1, signal: stop.signal })).rejects.toThrow(
			CancelledError,
		);
	});

	test("may leave something running in the background", async () => {
		const path = await script("sleep 2 & exit 0");
		const since = performance.now();
		expect((await scripts.run({ path, args: [], env: {}, timeoutMs: TIMEOUT_MS })).exitCode).toBe(0);
		expect(performance.now() - since).toBeLessThan(1900);
	});

	test("that cannot be run are told apart", async () => {
		const path = await script("exit 0");
		expect(await scripts.problem(path)).toBeUndefined();
		expect(await scripts.problem(folder)).toBe("is not a regular file");
		expect(await scripts.problem(join(folder, "missing"))).toBe("does not exist");
		await writeFile(path, "#!/nowhere/interpreter\n");
		const run = scripts.run({ path, args: [], env: {}, timeoutMs: TIMEOUT_MS });
		await expect(run).rejects.toMatchObject({ code: "hypervisor-refused", errno: "ENOENT" });
	});
});

/** A zombie has ended too: who reaps it is not known here. */
async function isRunning(pid: number): Promise<boolean> {
	const stat = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => "");
	return stat !== "" && !/\) [ZX] /.test(stat);
}
