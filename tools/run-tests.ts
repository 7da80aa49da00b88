import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
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

interface Report {
	/** What each file of tests came to, by its path. */
	files: Map<string, Counts>;
	/** Vitest reported, and its status agrees with what it reported. */
	sound: boolean;
}

/** One vitest project, or some files of it. */
function runProject(project: string, files: readonly string[], env: Record<string, string> = {}): Report {
	const directory = mkdtempSync(join(tmpdir(), "bulkhead-tests-"));
	try {
		const report = join(directory, "report.json");
		const reporters = ["--reporter=default", "--reporter=json", `--outputFile=${report}`];
		const args = ["vitest", "run", "--project", project, ...reporters, ...files];
		process.stdout.write(`\n# ${project} tests\n`);
		const { status } = spawnSync("npx", args, { stdio: "inherit", env: { ...process.env, ...env } });
		return readReport(report, status === 0);
	} finally {
		rmSync(directory, { recursive: true });
	}
}

/** A run that cannot even report counts as one failure. */
function testProject(project: string): void {
	addReport(runProject(project, []));
}

/**
 * The tests on real Xen. The emulator loses a processor now and then (lab/src/xen-answers.ts): files that failed in a run in
 * which that was seen are run once more, and what they come to then counts.
 */
function testLab(): void {
	const directory = mkdtempSync(join(tmpdir(), "bulkhead-lab-"));
	const lost = join(directory, "lost-machines");
	const report = runProject("lab", [], { BULKHEAD_LOST_MACHINES: lost });
	const failed = [...report.files].filter(([, counts]) => counts.failed > 0).map(([file]) => file);
	const machines = existsSync(lost) ? readFileSync(lost, "utf8").trimEnd().split("\n").length : 0;
	rmSync(directory, { recursive: true });
	if (machines === 0 || failed.length === 0) {
		addReport(report);
		return;
	}
	process.stdout.write(`\n# The emulator lost ${machines} machine(s): once more ${failed.join(" ")}\n`);
	const again = runProject("lab", failed);
	addReport({ files: new Map([...report.files, ...again.files]), sound: again.sound });
}

function addReport({ files, sound }: Report): void {
	for (const counts of files.values()) add(counts);
	if (!sound) add({ passed: 0, failed: 1, skipped: 0 });
}

interface VitestReport {
	testResults: { name: string; status: string; assertionResults: { status: string }[] }[];
}

function readReport(path: string, ok: boolean): Report {
	try {
		const { testResults } = JSON.parse(readFileSync(path, "utf8")) as VitestReport;
		const files = new Map(
			testResults.map(({ name, status, assertionResults }) => [name, count(status, assertionResults)]),
		);
		const failed = [...files.values()].some((counts) => counts.failed > 0);
		return { files, sound: files.size > 0 && ok !== failed };
	} catch {
		return { files: new Map(), sound: false };
	}
}

/** A file whose own code failed counts as one failure more. */
function count(status: string, results: readonly { status: string }[]): Counts {
	const of = (wanted: string): number => results.filter((result) => result.status === wanted).length;
	const [passed, failed] = [of("passed"), of("failed")];
	const broken = status === "failed" && failed === 0 ? 1 : 0;
	return { passed, failed: failed + broken, skipped: results.length - passed - failed };
}

check("types", "npx", ["tsc", "-b"]);
check("types of tests", "npx", ["tsc", "-p", "tsconfig.test.json"]);
check("lint", "npm", ["run", "--silent", "lint"]);
testProject("unit");
testProject("system");
testLab();
check("npm run up -- --check", "npm", ["run", "--silent", "up", "--", "--check"]);
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
