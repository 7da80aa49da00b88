import { spawnSync } from "node:child_process";

const USAGE = `Usage: npm run soak -- [options] [FILE…]

Runs in the lab, on real Xen, what takes too long for \`npm test\`: many bytes, many rounds, slow boots, cores. FILE is a
part of a name of lab/test/soak: channels, for one. What it prints goes into docs/measurements.md.

  -h, --help  this text
`;

const args = process.argv.slice(2);
if (args.includes("-h") || args.includes("--help")) {
	process.stdout.write(USAGE);
} else {
	const { status } = spawnSync("npx", ["vitest", "run", "--project", "soak", ...args], { stdio: "inherit" });
	process.exitCode = status ?? 1;
}
