import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BulkheadError } from "@bulkhead/base";

/** A line to be put after another one of the kernel's source. */
export interface KernelEdit {
	file: string;
	/** Part of exactly one line of the file. */
	after: string;
	insert: string;
}

/** The source is not what an edit was written for. `fields`: file, after, found. */
export class KernelEditError extends BulkheadError {}

/**
 * - A PV domain has no interval timer. The kernel measures the CPU's clock by it none the less and reads a port some
 *   100 000 times, each a fault that Xen emulates: a tenth of the stub's start in the lab. Xen tells the frequency, and
 *   the kernel asks it for the TSC's already.
 */
export const KERNEL_EDITS: readonly KernelEdit[] = [
	{
		file: "arch/x86/xen/time.c",
		after: "x86_platform.calibrate_tsc = xen_tsc_khz;",
		insert: "\tx86_platform.calibrate_cpu = xen_tsc_khz;",
	},
];

/** Changes an unpacked source tree. @throws KernelEditError */
export async function editKernelSource(dir: string, edits: readonly KernelEdit[] = KERNEL_EDITS): Promise<void> {
	for (const { file, after, insert } of edits) {
		const path = join(dir, file);
		const lines = (await readFile(path, "utf8")).split("\n");
		const found = lines.flatMap((line, at) => (line.includes(after) ? [at] : []));
		const [at] = found;
		if (at === undefined || found.length > 1)
			throw new KernelEditError("kernel-edit-misfits", `${file} has ${found.length} lines with "${after}" and not 1`, {
				remedy: "Look at what that kernel does there, and correct or drop the edit in stubdom/src/kernel-edits.ts",
				fields: { file, after, found: found.length },
			});
		lines.splice(at + 1, 0, insert);
		await writeFile(path, lines.join("\n"));
	}
}
