import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ApiClient } from "@bulkhead/api/client";
import { delay } from "@bulkhead/base";
import { type SimImages, SimulatedHost, writeSimImages } from "@bulkhead/sim-host";
import { parseOptions, runDaemon, startSimulatedRelay } from "@bulkhead/xenmgr";
import { pino } from "pino";

/** A simulated host with bulkheadd and relay, all in this process. */
export interface BenchHost extends AsyncDisposable {
	readonly simulated: SimulatedHost;
	readonly client: ApiClient;
	readonly images: SimImages;
	readonly directory: string;
}

/** Memory for thousands of guests: figures only. */
const MEMORY_KIB = 1024 * 1024 * 1024;
/** What is measured is our own work, not a disk's. */
const MEMORY_DISK = "/dev/shm";
const READY_MS = 10_000;

export async function openBenchHost(): Promise<BenchHost> {
	const directory = await mkdtemp(join(existsSync(MEMORY_DISK) ? MEMORY_DISK : tmpdir(), "bhb-"));
	const parsed = parseOptions(["--hypervisor", "sim", "--sim-directory", directory]);
	if ("print" in parsed) throw new TypeError("These options run a daemon");
	const { run: options } = parsed;
	const images = await writeSimImages(join(directory, "images"));
	const simulated = await SimulatedHost.start({ xenstoreSocket: options.xenstoreSocket, memoryKiB: MEMORY_KIB });
	const log = pino({ level: "silent" });
	const relay = await startSimulatedRelay(simulated.host, {
		controlSocket: options.relaySocket,
		stateDirectory: join(directory, "journals"),
		log,
	});
	const stop = new AbortController();
	const { hypervisor } = simulated.host.startProcess("bulkheadd");
	const daemon = runDaemon({ options, hypervisor, log, signal: stop.signal });
	const client = new ApiClient({ socketPath: options.socket });
	await untilReady(client);
	return {
		simulated,
		client,
		images,
		directory,
		async [Symbol.asyncDispose]() {
			stop.abort(new Error("The bench is over"));
			await daemon;
			relay.stop();
			await simulated.close();
			await rm(directory, { recursive: true, force: true });
		},
	};
}

async function untilReady(client: ApiClient): Promise<void> {
	const limit = performance.now() + READY_MS;
	for (;;) {
		const host = await client.host().catch(() => undefined);
		if (host?.relay.connected) return;
		if (performance.now() > limit) throw new Error("bulkheadd did not start");
		await delay(10);
	}
}
