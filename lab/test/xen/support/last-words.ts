import { readFile, stat } from "node:fs/promises";
import { beforeEach, type TestContext } from "vitest";
import type { Lab } from "../../../src/lab.ts";
import { xenAnswers } from "../../../src/xen-answers.ts";

const LINES = 80;
const TIMEOUT_MS = 10_000;
const DAEMONS_LOGS = `tail -n ${LINES} /var/log/bulkhead/*.log`;

/** A test that fails prints what Xen and our daemons have said meanwhile: the machine is gone when somebody asks. */
export function printLastWords(the: { readonly lab: Lab }): void {
	beforeEach(async ({ onTestFailed, task }: TestContext) => {
		const { size } = await stat(the.lab.paths.serialLog);
		onTestFailed(async () => {
			await xenAnswers(the.lab.paths, TIMEOUT_MS);
			const serial = (await readFile(the.lab.paths.serialLog)).subarray(size).toString("latin1").trimEnd();
			const daemons = await the.lab
				.exec(["sh", "-c", DAEMONS_LOGS], { timeoutMs: TIMEOUT_MS })
				.then(({ stdout }) => stdout.toString())
				.catch(String);
			console.warn(
				`“${task.name}” failed. Xen:\n${serial.split("\n").slice(-LINES).join("\n")}\nThe daemons:\n${daemons}`,
			);
		});
	});
}
