import { BulkheadError, delay } from "@bulkhead/base";
import type { Lab } from "./lab.ts";

const TIMEOUT_MS = 60_000;
const PAUSE_MS = 250;

/**
 * Waits until bulkheadd answers and has its relay: only then is a lab good for anything. A project without these
 * programs (its bundles are broken, which `up` has said) is not waited for.
 * @throws BulkheadError `toolstack-down` with what the daemons logged
 */
export async function awaitToolstack(lab: Lab): Promise<void> {
	if ((await lab.exec(["test", "-d", "/etc/service/bulkheadd", "-a", "-x", "/usr/bin/bulkhead"])).exitCode !== 0)
		return;
	const limit = performance.now() + TIMEOUT_MS;
	while (!(await isReady(lab))) {
		if (performance.now() > limit) {
			const { stdout } = await lab.exec(["sh", "-c", "tail -n 5 /var/log/bulkhead/*.log"]);
			throw new BulkheadError("toolstack-down", `The toolstack in dom0 did not answer within ${TIMEOUT_MS} ms`, {
				remedy: "See `npm run lab -- logs daemons`",
				fields: { log: stdout.toString() },
			});
		}
		await delay(PAUSE_MS);
	}
}

async function isReady(lab: Lab): Promise<boolean> {
	const { exitCode, stdout } = await lab.exec(["bulkhead", "--json", "info"]);
	if (exitCode !== 0) return false;
	return (JSON.parse(stdout.toString()) as { relay?: { connected?: boolean } }).relay?.connected === true;
}
