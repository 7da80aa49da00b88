import { afterEach, beforeEach, describe, test } from "vitest";
import { contractRows } from "../../src/contract/index.ts";
import { openSimContractHost } from "./sim-contract-host.ts";

describe("the simulated host keeps the contract", () => {
	// A row proves that what a handler throws is an uncaught exception: the runner's own listeners must not take it.
	let listeners: NodeJS.UncaughtExceptionListener[] = [];
	beforeEach(() => {
		listeners = process.listeners("uncaughtException");
		process.removeAllListeners("uncaughtException");
	});
	afterEach(() => {
		for (const listener of listeners) process.on("uncaughtException", listener);
	});

	test.each(contractRows(openSimContractHost).map((row) => [row.name, row] as const))("%s", async (_, row) => {
		await row.run();
	});
});
