import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A directory that goes when the test is over; short, for unix socket paths. */
export function temporaryDirectory(): string {
	const path = mkdtempSync(join(tmpdir(), "bhc-"));
	onTestFinished(() => rmSync(path, { recursive: true, force: true }));
	return path;
}
