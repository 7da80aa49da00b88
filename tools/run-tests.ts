import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** `npm test`: types, lint, unit and system tests, then the lab's on real Xen; ends with one line that counts them all. */

interface Counts {
	passed: number;
	failed: number;
	skipped: number;
}

const total: Counts = { passed: 0, failed: 0, skipped: 0 };

function add({ passed, failed, skipped }: Counts): void {
	total.passed += passed;
	total.failed += failed;
	total.skipped += skipped;
}

/** A check that either holds or does not: one test. */
function check(name: string, command: string, args: string[]): void {
	const began = Date.now();
	process.stdout.write(`\n# ${name}: ${command} ${args.join(" ")}\n`);
	const { status } = spawnSync(command, args, { stdio: "inherit" });
	const ok = status === 0;
	process.stdout.write(`# ${name}: ${ok ? "ok" : "FAILED"} after ${Math.round((Date.now() - began) / 1000)} s\n`);
	add({ passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 });
}

/** One vitest project. A run that cannot even report counts as one failure. */
function testProject(project: string): void {
	const directory = mkdtempSync(join(tmpdir(), "bulkhead-tests-"));
	const report = join(directory, "report.json");
	const args = [
		"vitest",
		"run",
		"--project",
		project,
		"--reporter=default",
		"--reporter=json",
		`--outputFile=${report}`,
	];
	process.stdout.write(`\n# ${project} tests\n`);
	const { status } = spawnSync("npx", args, { stdio: "inherit" });
	add(readReport(report, status === 0));
	rmSync(directory, { recursive: true });
}

function readReport(file: string, ok: boolean): Counts {
	try {
		const report = JSON.parse(readFileSync(file, "utf8")) as Record<string, number>;
		const { numPassedTests: passed = 0, numFailedTests: failed = 0, numPendingTests = 0, numTodoTests = 0 } = report;
		const silent = passed + failed === 0 || (!ok && failed === 0);
		return { passed, failed: silent ? failed + 1 : failed, skipped: numPendingTests + numTodoTests };
	} catch {
		return { passed: 0, failed: 1, skipped: 0 };
	}
}

check("types", "npx", ["tsc", "-b"]);
check("types of tests", "npx", ["tsc", "-p", "tsconfig.test.json"]);
check("lint", "npm", ["run", "--silent", "lint"]);
testProject("unit");
testProject("system");
testProject("lab");
check("npm run up -- --check", "npm", ["run", "--silent", "up", "--", "--check"]);
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
