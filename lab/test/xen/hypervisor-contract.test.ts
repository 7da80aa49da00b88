import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { contractRows, type RowResult, teardownRows } from "@bulkhead/hypervisor/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundleProgram, REPOSITORY } from "../../src/bundles.ts";
import { Lab } from "../../src/lab.ts";

const RUNNER = "packages/hypervisor/src/contract/native-main.ts";
const REMOTE = "/tmp/hypervisor-contract.mjs";
const RUN_TIMEOUT_MS = 240_000;

/** The rows' names only: nothing is opened on this machine. */
const nowhere = (): Promise<never> => Promise.reject(new Error("This engine runs in the lab"));
const names = [...contractRows(nowhere), ...teardownRows(nowhere, "")].map(({ name }) => name);

describe("the native hypervisor in dom0 keeps the contract", () => {
	const results = new Map<string, RowResult>();
	let lab: Lab;
	let outcome: { exitCode: number; stderr: string };

	beforeAll(async () => {
		lab = await Lab.attach();
		const folder = await mkdtemp(join(tmpdir(), "bulkhead-contract-"));
		try {
			const local = join(folder, "contract.mjs");
			await writeFile(local, await bundleProgram(join(REPOSITORY, RUNNER)));
			await lab.put(local, REMOTE);
		} finally {
			await rm(folder, { recursive: true });
		}
		// hvmloader's folder carries Xen's version.
		const hvmloader = (await lab.run(["sh", "-c", "ls /usr/lib/xen-*/boot/hvmloader"])).trim();
		const bios = "/usr/share/seabios/bios-256k.bin";
		const run = await lab.exec(["node", REMOTE, "--hvmloader", hvmloader, "--bios", bios], {
			timeoutMs: RUN_TIMEOUT_MS,
		});
		outcome = { exitCode: run.exitCode, stderr: run.stderr.toString() };
		for (const line of run.stdout.toString().split("\n").filter(Boolean)) {
			const result = JSON.parse(line) as RowResult;
			results.set(result.row, result);
		}
	}, RUN_TIMEOUT_MS + 60_000);

	afterAll(async () => {
		await lab?.exec(["rm", "-f", REMOTE]);
		lab?.close();
	});

	test.each(names)("%s", (name) => {
		const result = results.get(name);
		expect(result, `the run ended before this row: ${JSON.stringify(outcome)}`).toBeDefined();
		expect(result?.error, JSON.stringify(result?.error, null, 2)).toBeUndefined();
		expect(result?.ok).toBe(true);
	});

	test("the run ended well and printed no warning", () => {
		expect(outcome).toEqual({ exitCode: 0, stderr: "" });
	});

	test("no domain was left behind", async () => {
		const domains = await lab.run(["xl", "list"]);
		expect(domains).not.toContain("(null)");
	});
});
