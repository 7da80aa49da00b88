import { serializeError } from "@bulkhead/base";

/** One thing that must be so in dom0. `run` answers figures worth keeping, if it has some. */
export interface Row {
	name: string;
	run(): Promise<Record<string, unknown> | undefined>;
}

export interface RowOutcome {
	row: string;
	ok: boolean;
	ms: number;
	figures?: Record<string, unknown>;
	error?: unknown;
}

/** Runs in dom0: one line of JSON for each row. The exit status tells whether all held. */
export async function runRows(rows: readonly Row[]): Promise<void> {
	let failures = 0;
	for (const row of rows) {
		const outcome = await runRow(row);
		if (!outcome.ok) failures++;
		printOutcome(outcome);
	}
	if (failures > 0 || rows.length === 0) process.exitCode = 1;
}

export function printOutcome(outcome: RowOutcome): void {
	process.stdout.write(`${JSON.stringify(outcome)}\n`);
}

export async function runRow({ name, run }: Row): Promise<RowOutcome> {
	const started = performance.now();
	const outcome: RowOutcome = { row: name, ok: true, ms: 0 };
	try {
		outcome.figures = await run();
	} catch (error) {
		outcome.ok = false;
		outcome.error = { ...serializeError(error), stack: error instanceof Error ? error.stack : undefined };
	}
	outcome.ms = Math.round(performance.now() - started);
	return outcome;
}
