import { Command, Option } from "commander";
import { Lab } from "../lab.ts";
import { runCheck } from "./check.ts";
import { stay } from "./stay.ts";

const INTERRUPTED = 130;

interface UpOptions {
	check: boolean;
	release?: string;
}

const say = (line: string): void => {
	process.stderr.write(`${line}\n`);
};

/** Shuts the lab down on every path: when it is done, when something fails, and on Ctrl-C at any time. */
async function up({ check, release }: UpOptions): Promise<number> {
	const interrupt = new AbortController();
	for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => interrupt.abort());
	const { signal } = interrupt;
	const began = performance.now();
	try {
		const lab = await Lab.up({ release, signal, onProgress: say });
		const labMs = Math.round(performance.now() - began);
		if (check) return await runCheck(lab, { labMs, say, signal });
		await stay(lab, { say, signal });
		return 0;
	} catch (error) {
		if (!signal.aborted) throw error;
		say("Interrupted");
		return INTERRUPTED;
	} finally {
		// Also one that has booted and whose toolstack did not answer.
		say("Shutting the lab down");
		await Lab.down();
	}
}

const program = new Command("npm run up --")
	.description(
		"Boots real Xen inside QEMU, starts Bulkhead in it, creates the example guest (a small Linux whose QEMU runs in a stub " +
			"domain) and stays until Ctrl-C.",
	)
	.option("--check", "without a person: assert everything, destroy, shut down; the last line is JSON evidence", false)
	.addOption(
		new Option("--release <codename>", "Debian release of the lab (default: the machine's own)").env(
			"BULKHEAD_LAB_RELEASE",
		),
	)
	.action(async (options: UpOptions) => {
		process.exitCode = await up(options);
	});

program.parseAsync().catch((error: { message: string; remedy?: string }) => {
	process.stderr.write(`npm run up: ${error.message}\n${error.remedy ? `  remedy: ${error.remedy}\n` : ""}`);
	process.exitCode = 1;
});
