import { BulkheadError } from "@bulkhead/base";
import type { Lab } from "@bulkhead/lab";
import { buildBzImage, buildGzipRamdisk, buildStubImage } from "@bulkhead/stubdom";
import { BENCH_DIRECTORY, DEBIAN_FILES } from "./bench-guest.ts";

/** Puts the peer's stub files into dom0. */
export async function prepareDom0(lab: Lab, say: (line: string) => void): Promise<void> {
	await lab.run(["mkdir", "-p", BENCH_DIRECTORY]);
	const image = await buildStubImage({ release: lab.describe().release, onProgress: say });
	await lab.put(await buildBzImage(image), DEBIAN_FILES.kernel);
	await lab.put(await buildGzipRamdisk(image), DEBIAN_FILES.ramdisk);
}

/** Makes sure that nothing else would be measured. @throws BulkheadError `not-alone` */
export async function demandEmptyHost(lab: Lab): Promise<void> {
	const lines = (await lab.run(["xl", "list"])).trim().split("\n").slice(2);
	if (lines.length === 0) return;
	throw new BulkheadError(
		"not-alone",
		`Domains run in the lab: ${lines.map((line) => line.split(" ")[0]).join(", ")}`,
		{
			remedy: "Destroy them, or wait for whoever uses the lab",
		},
	);
}

export async function writeDom0File(lab: Lab, path: string, text: string): Promise<void> {
	await lab.run(["sh", "-c", 'cat >"$1"', "write", path], { stdin: text });
}
