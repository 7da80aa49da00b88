import { spawnSync } from "node:child_process";

const USAGE = `Usage: npm run soak -- [options] [FILE…]

Runs in the lab, on real Xen, what takes too long for \`npm test\`: many bytes, many rounds, slow boots, cores. FILE is a
part of a name of lab/test/soak: channels, for one. What it prints goes into docs/measurements.md.

  --oxenstored  on a host whose xenstored is oxenstored, as XCP-ng's is: the contract with a guest, and guests' lives
  -h, --help    this text
`;

const args = process.argv.slice(2);
if (args.includes("-h") || args.includes("--help")) {
	process.stdout.write(USAGE);
} else {
	const isOxenstored = args.includes("--oxenstored");
	const files = args.filter((each) => each !== "--oxenstored");
	const project = isOxenstored ? "oxenstored" : "soak";
	const env = { ...process.env, ...(isOxenstored && { BULKHEAD_LAB_XENSTORED: "oxenstored" }) };
	const { status } = spawnSync("npx", ["vitest", "run", "--project", project, ...files], { stdio: "inherit", env });
	process.exitCode = status ?? 1;
}
