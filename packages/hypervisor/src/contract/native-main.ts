/**
 * Runs the contract on the native engine, in a control domain: `node contract.mjs --hvmloader PATH --bios PATH
 * [--only TEXT]`. Prints one RowResult per line; the exit status is 0 when every row held.
 */
import { parseArgs } from "node:util";
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { contractRows } from "./contract-rows.ts";
import { nativeContractHost } from "./open-native-host.ts";
import { runRows } from "./run-rows.ts";
import { teardownRows } from "./teardown-rows.ts";
import { hold, runVictim, type TeardownTarget } from "./teardown-victim.ts";

const { values } = parseArgs({
	options: {
		hvmloader: { type: "string" },
		bios: { type: "string" },
		only: { type: "string", default: "" },
		victim: { type: "string" },
	},
});

if (!isMainThread) {
	const target = workerData as TeardownTarget;
	hold(target);
	parentPort?.postMessage("ready");
	if (target.way === "worker-ended") process.exit(0);
} else if (values.victim) {
	await runVictim(JSON.parse(values.victim) as TeardownTarget);
} else {
	await runContract();
}

async function runContract(): Promise<void> {
	if (!values.hvmloader || !values.bios) throw new TypeError("Options --hvmloader and --bios name the HVM firmware");
	const open = nativeContractHost({ hvmloader: values.hvmloader, bios: values.bios });
	const program = process.argv[1] ?? "";
	const chosen = [...contractRows(open), ...teardownRows(open, program)].filter(({ name }) =>
		name.includes(values.only),
	);
	let failures = 0;
	for await (const result of runRows(chosen)) {
		if (!result.ok) failures++;
		process.stdout.write(`${JSON.stringify(result)}\n`);
	}
	process.exitCode = failures === 0 && chosen.length > 0 ? 0 : 1;
}
