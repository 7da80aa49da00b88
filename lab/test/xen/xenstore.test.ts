import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Lab } from "../../src/lab.ts";
import { type ProgramOutcome, runInDom0 } from "./programs/run-in-dom0.ts";
import { xenstoreGuestRows } from "./programs/xenstore-guest-rows.ts";
import { xenstoreHistories } from "./programs/xenstore-histories.ts";
import { xenstoreRows } from "./programs/xenstore-rows.ts";
import { hostContractNames, oxenstoredContractNames } from "./programs/xenstore-servers.ts";
import { createNodeGuest, destroyNodeGuest } from "./support/node-guest.ts";

const PROGRAM = join(import.meta.dirname, "programs/xenstore-main.ts");
const GUEST_PROGRAM = join(import.meta.dirname, "programs/xenstore-guest-main.ts");
const RUN_TIMEOUT_MS = 420_000;

const guestRows = xenstoreGuestRows(() => Promise.reject(new Error("This runs in the lab")));
const names = [...guestRows, ...xenstoreRows(), ...xenstoreHistories()].map(({ name }) => name);

describe("the xenstore client, C xenstored and oxenstored", () => {
	let lab: Lab;
	let outcomes: Record<"xenstored" | "oxenstored", ProgramOutcome>;

	beforeAll(
		async () => {
			lab = await Lab.attach();
			const guest = await createNodeGuest(lab, GUEST_PROGRAM);
			const console = guest.consoles.find(({ kind }) => kind === "pv")?.socketPath ?? "";
			outcomes = {
				xenstored: await runInDom0(lab, PROGRAM, RUN_TIMEOUT_MS, ["xenstored", `${guest.domid}`, console]),
				oxenstored: await runInDom0(lab, PROGRAM, RUN_TIMEOUT_MS, ["oxenstored"]),
			};
		},
		2 * RUN_TIMEOUT_MS + 120_000,
	);

	afterAll(async () => {
		if (lab) await destroyNodeGuest(lab);
		lab?.close();
	});

	test.each([...names, ...hostContractNames("xenstored"), ...oxenstoredContractNames()])("%s", (name) => {
		const { rows, stderr } = outcomes[name.startsWith("oxenstored: ") ? "oxenstored" : "xenstored"];
		const row = rows.get(name);
		expect(row, `the run ended before this row: ${stderr}`).toBeDefined();
		expect(row?.error, JSON.stringify(row?.error, null, 2)).toBeUndefined();
		if (row?.figures) console.log(`${name}: ${JSON.stringify(row.figures)}`);
	});

	test.each(["xenstored", "oxenstored"] as const)("the run against %s ended well and printed no warning", (server) => {
		const { exitCode, stderr } = outcomes[server];
		expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
	});

	test("nothing of the rows is left in the store", async () => {
		const tree = await lab.run(["xenstore-ls", "-f"]);
		expect(tree).not.toMatch(/bulkhead-(test|contract|relative)/);
	});
});
