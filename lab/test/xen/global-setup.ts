import { Lab } from "../../src/lab.ts";

/** All tests of this project share one lab: one that is up already, or one booted for them and shut down after. */
export default async function setup(): Promise<() => Promise<void>> {
	const running = await Lab.findRunning();
	if (running) {
		running.close();
		return async () => {};
	}
	const lab = await Lab.up({ onProgress: (line) => process.stderr.write(`lab: ${line}\n`) });
	return () => lab.down();
}
