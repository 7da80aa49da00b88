import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Lab } from "@bulkhead/lab";
import { bundleForDom0 } from "./bundle-for-dom0.ts";

/** Puts a program of this package into dom0, as one file. */
export async function bundleIntoDom0(lab: Lab, entry: string, target: string): Promise<void> {
	const folder = await mkdtemp(join(tmpdir(), "bulkhead-bench-"));
	try {
		const file = join(folder, "program.mjs");
		await writeFile(file, await bundleForDom0(entry));
		await lab.put(file, target);
	} finally {
		await rm(folder, { recursive: true });
	}
}
