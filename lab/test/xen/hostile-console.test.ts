import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hostileConsoleRows } from "./programs/hostile-console-rows.ts";
import { type ProgramOutcome, runInDom0 } from "./programs/run-in-dom0.ts";
import { useLab } from "./support/dom0.ts";
import { createGuest, destroyAll, PV } from "./support/guests.ts";
import { GuestShell } from "./support/network.ts";

const RUN_TIMEOUT_MS = 180_000;

describe("the relay, with hostile guests at the other end of real rings", () => {
	const the = useLab();
	let outcome: ProgramOutcome;

	beforeAll(async () => {
		const neighbour = await createGuest(the.lab, PV);
		(await GuestShell.open(the.lab, neighbour, "pv", 60_000)).close();
		const program = join(import.meta.dirname, "programs/hostile-console-main.ts");
		outcome = await runInDom0(the.lab, program, RUN_TIMEOUT_MS, [neighbour.uuid]);
	}, RUN_TIMEOUT_MS + 120_000);
	afterAll(() => destroyAll(the.lab));

	test.each(hostileConsoleRows("").map(({ name }) => name))("%s", (name) => {
		const row = outcome.rows.get(name);
		expect(row, `the run ended before this row: ${outcome.stderr}`).toBeDefined();
		expect(row?.error, JSON.stringify(row?.error, null, 2)).toBeUndefined();
		if (row?.figures) console.info(name, JSON.stringify(row.figures));
	});

	test("the program ends well, without warnings, and leaves no domain", async () => {
		expect({ exitCode: outcome.exitCode, stderr: outcome.stderr }).toEqual({ exitCode: 0, stderr: "" });
		expect(await the.lab.run(["xl", "list"])).not.toContain("(null)");
	});
});
