import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { withDeadline } from "@bulkhead/base";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const REPOSITORY = join(import.meta.dirname, "../../../..");
const SOURCE = ["--conditions=bulkhead-source", "--import", "tsx"];
const START_MS = 30_000;

describe("bulkheadd --hypervisor sim", () => {
	let directory: string;
	let daemon: ChildProcess;
	let log = "";

	beforeAll(async () => {
		directory = await mkdtemp(join(tmpdir(), "bhp-"));
		const program = join(REPOSITORY, "packages/xenmgr/src/main.ts");
		const options = ["--hypervisor", "sim", "--sim-directory", directory, "--http-listen", "127.0.0.1:0"];
		daemon = spawn(process.execPath, [...SOURCE, program, ...options], {
			cwd: REPOSITORY,
			stdio: ["ignore", "ignore", "pipe"],
			// Any .node file would be looked for here, and there is none: opening Xen's addons cannot go unnoticed.
			env: { ...process.env, BULKHEAD_NATIVE_DIR: join(directory, "no-addons") },
		});
		const ready = new Promise<void>((resolve, reject) => {
			daemon.stderr?.on("data", (chunk: Buffer) => {
				log += chunk.toString();
				if (log.includes("bulkheadd is ready") && log.includes("Connected to the relay")) resolve();
			});
			daemon.once("error", reject).once("exit", (code) => reject(new Error(`bulkheadd ended with ${code}`)));
		});
		await withDeadline(ready, { timeoutMs: START_MS, what: "bulkheadd to be ready" }).catch((cause) => {
			throw new Error(`bulkheadd did not start: ${log}`, { cause });
		});
	}, START_MS + 5000);

	afterAll(async () => {
		if (daemon.exitCode === null) {
			const exited = once(daemon, "exit");
			daemon.kill("SIGTERM");
			expect(await exited).toEqual([0, null]);
		}
		await rm(directory, { recursive: true, force: true });
	});

	/** The command, as a person runs it. */
	async function bulkhead(...args: string[]): Promise<string> {
		const program = join(REPOSITORY, "packages/cli/src/main.ts");
		const { stdout } = await promisify(execFile)(process.execPath, [...SOURCE, program, ...args], {
			cwd: REPOSITORY,
			env: {
				...process.env,
				BULKHEAD_SOCKET: join(directory, "bulkheadd.sock"),
				BULKHEAD_CONSOLE_SOCKET: join(directory, "relay", "console.sock"),
			},
		});
		return stdout;
	}

	test("creates, lists, talks to, and destroys guests by the command line", async () => {
		const config = join(directory, "guest.cfg");
		const images = join(directory, "images");
		await writeFile(
			config,
			`name="laptop"\ntype="hvm"\nmemory=64\nvideoram=8\nserial="pty"\ndisk=["${images}/disk.img,raw,hda,w"]\n`,
		);
		await bulkhead("create", config);
		expect(await bulkhead("list")).toMatch(/^laptop\s/m);
		expect(await bulkhead("console", "--from", "start", "--until", "# ", "laptop")).toContain("ready");
		expect(await bulkhead("qmp", "laptop", "query-status")).toContain("running");
		expect(await bulkhead("info")).toContain("4.17.0-sim");
		const url = (await bulkhead("screen", "laptop")).trim();
		expect(await (await fetch(url)).text()).toContain("/screen/screen.js");
		await bulkhead("destroy", "laptop");
		expect(await bulkhead("list")).not.toContain("laptop");
	}, 60_000);

	test("shows its xenstore on a socket", async () => {
		const { XenstoreClient } = await import("@bulkhead/xenstore");
		const store = await XenstoreClient.connect({ path: join(directory, "xenstored.sock") });
		expect(await store.readText("/local/domain/0/name")).toBe("Domain-0");
		store.close();
	});

	test("has opened no native addon", async () => {
		const mapped = (await readFile(`/proc/${daemon.pid}/maps`, "utf8"))
			.split("\n")
			.map((line) => line.split(/\s+/)[5] ?? "");
		expect(mapped).toContain(process.execPath);
		expect(mapped.filter((file) => file.endsWith(".node") || /libxen/.test(file))).toEqual([]);
	});
});
