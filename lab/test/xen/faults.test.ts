import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { findResidue, takeSnapshot } from "../../src/residue.ts";
import { awaitReady, awaitRestart, createWithFault, pidOf } from "./support/daemons.ts";
import { bulkhead, eventually, ok, run, useLab } from "./support/dom0.ts";
import { createGuest, destroyAll, findGuest, TINY } from "./support/guests.ts";

describe("a create that fails", () => {
	const the = useLab();
	let before: string[];

	beforeAll(async () => {
		before = await takeSnapshot(the.lab);
	});
	afterEach(() => destroyAll(the.lab));

	it("leaves nothing behind, whichever step it fails at", async () => {
		const { plan } = await bulkhead<{ plan: { name: string }[] }>(the.lab, "create", "--dry-run", TINY);
		expect(plan.length).toBeGreaterThan(15);
		for (const index of plan.keys()) {
			const lines = await createWithFault(the.lab, TINY, `fail:${index}`);
			const last = lines.at(-1);
			expect(last, `step ${index}`).toMatchObject({
				type: "error",
				error: { cause: { message: expect.stringContaining("Injected") } },
			});
			expect(await findResidue(the.lab, before), `step ${index}`).toEqual([]);
		}
	}, 900_000);

	it.each([3, 9, 14])("is undone by the next daemon when bulkheadd is killed after step %i", async (index) => {
		const oldPid = await pidOf(the.lab, "bulkheadd");
		const lines = await createWithFault(the.lab, TINY, `kill:${index}`);
		expect(lines.filter(({ type }) => type === "result" || type === "error")).toEqual([]);
		await awaitRestart(the.lab, "bulkheadd", oldPid);
		await awaitReady(the.lab);
		await eventually("the half-made guest to be undone", async () =>
			(await findGuest(the.lab, "tiny")) === undefined ? true : undefined,
		);
		const log = await ok(the.lab, ["cat", "/var/log/bulkhead/bulkheadd.log"]);
		expect(log).toContain("create interrupted: undone");
		const residue = (await findResidue(the.lab, before)).filter((line) => !line.startsWith("process "));
		expect(residue).toEqual([]);
	});

	it("is undone on Ctrl-C, and the command says so and waits for it", async () => {
		const { stdout, stderr } = await run(the.lab, ["sh", "-c", INTERRUPTED_CREATE, "interrupted-create", TINY]);
		expect(stdout).toBe("130\n");
		expect(stderr).toContain("Starting the stub domain");
		expect(stderr).toContain("Cancelling");
		expect(await findResidue(the.lab, before)).toEqual([]);
	});

	it("does not stop the same guest from being created afterwards", async () => {
		const { name } = await createGuest(the.lab, TINY);
		expect(name).toBe("tiny");
	});
});

/** Presses Ctrl-C while the stub domain boots, and prints how the command ended. */
const INTERRUPTED_CREATE = `
log=$(mktemp /run/interrupted-create-XXXXXX)
bulkhead create "$1" 2>"$log" &
pid=$!
until grep -q "Starting the stub domain" "$log" || ! kill -0 $pid; do sleep 0.2; done
kill -INT $pid
wait $pid
echo $?
cat "$log" >&2
rm "$log"
`;
