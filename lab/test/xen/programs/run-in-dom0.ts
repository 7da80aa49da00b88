import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleProgram } from "../../../src/bundles.ts";
import type { Lab } from "../../../src/lab.ts";
import type { RowOutcome } from "./rows.ts";

export interface ProgramOutcome {
	exitCode: number;
	stderr: string;
	rows: ReadonlyMap<string, RowOutcome>;
}

/** Bundles a program of rows, runs it in dom0 and reads its lines. */
export async function runInDom0(
	lab: Lab,
	entry: string,
	timeoutMs: number,
	args: readonly string[] = [],
): Promise<ProgramOutcome> {
	const folder = await mkdtemp(join(tmpdir(), "bulkhead-rows-"));
	const remote = (await lab.run(["mktemp", "-d", "/tmp/bulkhead-rows-XXXXXX"])).trim();
	try {
		const local = join(folder, "rows.mjs");
		await writeFile(local, await bundleProgram(entry));
		await lab.put(local, `${remote}/rows.mjs`);
		const { exitCode, stdout, stderr } = await lab.exec(["node", `${remote}/rows.mjs`, ...args], { timeoutMs });
		const outcomes = stdout
			.toString()
			.split("\n")
			.filter(Boolean)
			.map((line) => JSON.parse(line) as RowOutcome);
		return { exitCode, stderr: stderr.toString(), rows: new Map(outcomes.map((outcome) => [outcome.row, outcome])) };
	} finally {
		await lab.exec(["rm", "-rf", remote]);
		await rm(folder, { recursive: true });
	}
}
