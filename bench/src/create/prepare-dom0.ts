import { DeadlineError, delay } from "@bulkhead/base";
import type { Lab } from "@bulkhead/lab";
import { buildBzImage, buildGzipRamdisk, buildStubImage } from "@bulkhead/stubdom";
import { BENCH_DIRECTORY, DEBIAN_FILES } from "./bench-guest.ts";

/** Puts the peer's stub files into dom0. */
export async function prepareDom0(lab: Lab, say: (line: string) => void): Promise<void> {
	await lab.run(["mkdir", "-p", BENCH_DIRECTORY]);
	const image = await buildStubImage({ release: lab.describe().release, kernel: "debian", onProgress: say });
	await lab.put(await buildBzImage(image), DEBIAN_FILES.kernel);
	await lab.put(await buildGzipRamdisk(image), DEBIAN_FILES.ramdisk);
}

const EMPTY_TIMEOUT_MS = 600_000;
const POLL_MS = 2_000;

/** Waits until nothing else would be measured. @throws DeadlineError */
export async function awaitEmptyHost(lab: Lab, say: (line: string) => void): Promise<void> {
	const limit = performance.now() + EMPTY_TIMEOUT_MS;
	for (let waits = 0; ; waits++) {
		const strangers = await listGuestNames(lab);
		if (strangers.length === 0) return;
		if (waits === 0) say(`waiting until others have ended their domains: ${strangers.join(", ")}`);
		if (performance.now() > limit)
			throw new DeadlineError(`Domains run in the lab: ${strangers.join(", ")}`, {
				remedy: "Destroy them, or go on with --shared",
			});
		await delay(POLL_MS);
	}
}

/** Names of all domains but dom0. */
export async function listGuestNames(lab: Lab): Promise<string[]> {
	const lines = (await lab.run(["xl", "list"])).trim().split("\n").slice(2);
	return lines.map((line) => line.split(" ")[0] ?? "");
}

export async function writeDom0File(lab: Lab, path: string, text: string): Promise<void> {
	await lab.run(["sh", "-c", 'cat >"$1"', "write", path], { stdin: text });
}
