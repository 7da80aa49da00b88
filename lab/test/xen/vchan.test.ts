import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Lab } from "../../src/lab.ts";
import { installVchanEcho } from "./programs/install-vchan-echo.ts";
import { type ProgramOutcome, runInDom0 } from "./programs/run-in-dom0.ts";
import { vchanRows } from "./programs/vchan-rows.ts";
import { vchanServerRows } from "./programs/vchan-server-rows.ts";

const RUN_TIMEOUT_MS = 180_000;

describe("vchan and libxenvchan, either as the server", () => {
	let lab: Lab;
	let outcome: ProgramOutcome;

	beforeAll(async () => {
		lab = await Lab.attach();
		const program = join(import.meta.dirname, "programs/vchan-main.ts");
		outcome = await runInDom0(lab, program, RUN_TIMEOUT_MS, [await installVchanEcho(lab)]);
	}, RUN_TIMEOUT_MS + 60_000);

	afterAll(() => lab?.close());

	test.each([...vchanRows(), ...vchanServerRows()].map(({ name }) => name))("%s", (name) => {
		const row = outcome.rows.get(name);
		expect(row, `the run ended before this row: ${outcome.stderr}`).toBeDefined();
		expect(row?.error, JSON.stringify(row?.error, null, 2)).toBeUndefined();
		if (row?.figures) console.info(name, row.figures);
	});

	test("the program ends by itself, without warnings, and leaves nothing behind", async () => {
		expect({ exitCode: outcome.exitCode, stderr: outcome.stderr }).toEqual({ exitCode: 0, stderr: "" });
		expect(await lab.run(["xenstore-list", "/"])).not.toContain("bulkhead-test");
		const processes = await lab.run(["ps"]);
		expect(processes).not.toContain("vchan-socket-proxy --mode");
	});
});
