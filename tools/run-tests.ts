import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

/**
 * `npm test`: types, lint, unit and system tests, then the lab's on real Xen; ends with what has failed, told once more, and
 * one line that counts them all.
 */

/** What one file of tests came to, or one check. */
interface Outcome {
	passed: number;
	skipped: number;
	/** What has failed, each with what it said. */
	failures: string[];
}

const total: Outcome = { passed: 0, skipped: 0, failures: [] };

function add({ passed, skipped, failures }: Outcome): void {
	total.passed += passed;
	total.skipped += skipped;
	total.failures.push(...failures);
}

/** A check that either holds or does not: one test. */
function check(name: string, command: string, args: string[]): void {
	const began = Date.now();
	process.stdout.write(`\n# ${name}: ${command} ${args.join(" ")}\n`);
	const { status } = spawnSync(command, args, { stdio: "inherit" });
	const ok = status === 0;
	process.stdout.write(`# ${name}: ${ok ? "ok" : "FAILED"} after ${Math.round((Date.now() - began) / 1000)} s\n`);
	add(ok ? { passed: 1, skipped: 0, failures: [] } : { passed: 0, skipped: 0, failures: [name] });
}

interface Report {
	/** What each file of tests came to, by its path. */
	files: Map<string, Outcome>;
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

function testProject(project: string): void {
	addReport(project, runProject(project, []));
}

/**
 * The tests on real Xen. The emulator loses a processor now and then (lab/src/xen-answers.ts): files that failed in a run in
 * which that was seen are run once more, and what they come to then counts.
 */
function testLab(): void {
	const directory = mkdtempSync(join(tmpdir(), "bulkhead-lab-"));
	const lost = join(directory, "lost-machines");
	const report = runProject("lab", [], { BULKHEAD_LOST_MACHINES: lost });
	const failed = [...report.files].filter(([, { failures }]) => failures.length > 0).map(([file]) => file);
	const machines = existsSync(lost) ? readFileSync(lost, "utf8").trimEnd().split("\n").length : 0;
	rmSync(directory, { recursive: true });
	if (machines === 0 || failed.length === 0) {
		addReport("lab", report);
		return;
	}
	process.stdout.write(`\n# The emulator lost ${machines} machine(s): once more ${failed.join(" ")}\n`);
	const again = runProject("lab", failed);
	addReport("lab", { files: new Map([...report.files, ...again.files]), sound: again.sound });
}

/** A run that cannot even report counts as one failure. */
function addReport(project: string, { files, sound }: Report): void {
	for (const outcome of files.values()) add(outcome);
	if (!sound) add({ passed: 0, skipped: 0, failures: [`the run of ${project} tests itself`] });
}

/** Vitest's JSON report, as far as it is read here. */
interface FileReport {
	name: string;
	status: string;
	/** Why the file's own code failed. */
	message: string;
	assertionResults: { status: string; fullName: string; failureMessages: string[] }[];
}

function readReport(path: string, ok: boolean): Report {
	try {
		const { testResults } = JSON.parse(readFileSync(path, "utf8")) as { testResults: FileReport[] };
		const files = new Map(testResults.map((file) => [file.name, outcomeOf(file)]));
		const failed = [...files.values()].some(({ failures }) => failures.length > 0);
		return { files, sound: files.size > 0 && ok !== failed };
	} catch {
		return { files: new Map(), sound: false };
	}
}

/** A file whose own code failed counts as one failure more. */
function outcomeOf({ name, status, message, assertionResults: results }: FileReport): Outcome {
	const file = relative(process.cwd(), name);
	const of = (wanted: string): FileReport["assertionResults"] => results.filter((result) => result.status === wanted);
	const [passed, failed] = [of("passed"), of("failed")];
	const failures = failed.map(
		({ fullName, failureMessages }) => `${file}: ${fullName}\n${excerpt(failureMessages.join("\n"))}`,
	);
	if (status === "failed" && failures.length === 0) failures.push(`${file}\n${excerpt(message)}`);
	return { passed: passed.length, skipped: results.length - passed.length - failed.length, failures };
}

const EXCERPT_LINES = 12;

/** Its first lines, without the test runner's part of a stack. */
function excerpt(message: string): string {
	return message
		.split("\n")
		.filter((line) => !line.includes("/node_modules/"))
		.slice(0, EXCERPT_LINES)
		.map((line) => `    ${line}`)
		.join("\n");
}

check("types", "npx", ["tsc", "-b"]);
check("types of tests", "npx", ["tsc", "-p", "tsconfig.test.json"]);
check("lint", "npm", ["run", "--silent", "lint"]);
testProject("unit");
testProject("system");
testLab();
check("npm run up -- --check", "npm", ["run", "--silent", "up", "--", "--check"]);
for (const what of total.failures) process.stdout.write(`\nFAILED ${what}\n`);
process.stdout.write(`\n${total.passed} passed, ${total.failures.length} failed, ${total.skipped} skipped\n`);
process.exitCode = total.failures.length === 0 && total.passed > 0 ? 0 : 1;
