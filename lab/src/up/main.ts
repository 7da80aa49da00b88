import { Lab } from "../lab.ts";
import { runCheck } from "./check.ts";
import { stay } from "./stay.ts";

const USAGE = `Usage: npm run up [-- --check] [-- --release NAME]

Boots real Xen inside QEMU, starts Bulkhead in it, creates the example guest (a small Linux whose QEMU runs in a stub
domain) and stays until Ctrl-C.

  --check          the same without a person: assert everything, destroy, shut down; the last line is JSON evidence
  --release NAME   the Debian release of the lab (default: this machine's)
  -h, --help       this text
`;

const say = (line: string): void => {
	process.stderr.write(`${line}\n`);
};

async function main(args: string[]): Promise<number> {
	if (args.includes("-h") || args.includes("--help")) {
		process.stdout.write(USAGE);
		return 0;
	}
	const releaseAt = args.indexOf("--release");
	const release = releaseAt >= 0 ? args[releaseAt + 1] : undefined;
	const unknown = args.filter((arg, index) => arg !== "--check" && arg !== "--release" && index !== releaseAt + 1);
	if (unknown.length > 0 || (releaseAt >= 0 && release === undefined)) {
		process.stderr.write(`npm run up: cannot read ${unknown.join(" ") || "--release"}\n\n${USAGE}`);
		return 2;
	}
	const interrupt = new AbortController();
	for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => interrupt.abort());

	const began = performance.now();
	const lab = await Lab.up({ release, signal: interrupt.signal, onProgress: say });
	const labMs = Math.round(performance.now() - began);
	try {
		if (args.includes("--check")) return await runCheck(lab, { labMs, say, signal: interrupt.signal });
		await stay(lab, { say, signal: interrupt.signal });
		return 0;
	} finally {
		say("Shutting the lab down");
		await lab.down();
	}
}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
	const { message, remedy } = error as { message: string; remedy?: string };
	process.stderr.write(`npm run up: ${message}\n${remedy ? `  remedy: ${remedy}\n` : ""}`);
	return 1;
});
