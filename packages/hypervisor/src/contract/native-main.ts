/**
 * Runs the contract on the native engine, in a control domain: `node contract.mjs --hvmloader PATH --bios PATH
 * [--only TEXT]`. Prints one RowResult per line; the exit status is 0 when every row held.
 */
import { parseArgs } from "node:util";
import { contractRows } from "./contract-rows.ts";
import { nativeContractHost } from "./open-native-host.ts";
import { runRows } from "./run-rows.ts";

const { values } = parseArgs({
	options: { hvmloader: { type: "string" }, bios: { type: "string" }, only: { type: "string", default: "" } },
});
if (!values.hvmloader || !values.bios) throw new TypeError("Options --hvmloader and --bios name the HVM firmware");
const { hvmloader, bios, only } = values;

const chosen = contractRows(nativeContractHost({ hvmloader, bios })).filter(({ name }) => name.includes(only));
let failures = 0;
for await (const result of runRows(chosen)) {
	if (!result.ok) failures++;
	process.stdout.write(`${JSON.stringify(result)}\n`);
}
process.exitCode = failures === 0 && chosen.length > 0 ? 0 : 1;
