import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Lab } from "../../src/lab.ts";
import { type ProgramOutcome, runInDom0 } from "../xen/programs/run-in-dom0.ts";
import { hostContractNames } from "../xen/programs/xenstore-servers.ts";
import { createNodeGuest, destroyNodeGuest } from "../xen/support/node-guest.ts";

const PROGRAMS = join(import.meta.dirname, "../xen/programs");
const RUN_TIMEOUT_MS = 420_000;

describe("the xenstore client on a host whose xenstored is oxenstored", () => {
	let lab: Lab;
	let outcome: ProgramOutcome;

	beforeAll(async () => {
		lab = await Lab.attach();
		expect(lab.describe().xenstored).toBe("oxenstored");
		const guest = await createNodeGuest(lab, join(PROGRAMS, "xenstore-guest-main.ts"));
		const console = guest.consoles.find(({ kind }) => kind === "pv")?.socketPath ?? "";
		const program = join(PROGRAMS, "xenstore-main.ts");
		outcome = await runInDom0(lab, program, RUN_TIMEOUT_MS, ["oxenstored", `${guest.domid}`, console]);
	}, RUN_TIMEOUT_MS + 120_000);
	afterAll(async () => {
		if (lab) await destroyNodeGuest(lab);
		lab?.close();
	});

	test.each(hostContractNames("oxenstored"))("%s", (name) => {
		const row = outcome.rows.get(name);
		expect(row, `the run ended before this row: ${outcome.stderr}`).toBeDefined();
		expect(row?.error, JSON.stringify(row?.error, null, 2)).toBeUndefined();
	});

	test("the run ended well and printed no warning", () => {
		const { exitCode, stderr } = outcome;
		expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
	});
});
