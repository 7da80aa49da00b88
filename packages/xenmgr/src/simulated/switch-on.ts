import { join } from "node:path";
import { RealClock } from "@bulkhead/hypervisor/sim";
import { SimulatedHost, writeSimImages } from "@bulkhead/sim-host";
import type { Logger } from "pino";
import type { OpenHost } from "../host/open-host.ts";
import type { DaemonOptions } from "../options.ts";
import { privateDirectory } from "./private-directory.ts";
import { startSimulatedRelay } from "./simulated-relay.ts";

/** About what a stub domain takes on an idle machine with hardware virtualization. */
const STUB_BOOT_MS = 500;

/** A simulated host for `bulkheadd --hypervisor sim`, in its own directory: xenstored, relay, and images to try it with. */
export async function switchOnSimulatedHost(options: DaemonOptions, log: Logger): Promise<OpenHost> {
	const { simDirectory, simMemoryMiB, xenstoreSocket } = options;
	await privateDirectory(simDirectory);
	const images = await writeSimImages(join(simDirectory, "images"));
	const simulated = await SimulatedHost.start({
		xenstoreSocket,
		clock: new RealClock(),
		memoryKiB: simMemoryMiB * 1024,
	});
	simulated.stubScript = { bootMs: STUB_BOOT_MS };
	try {
		const relay = await startSimulatedRelay(simulated.host, {
			controlSocket: options.relaySocket,
			stateDirectory: join(simDirectory, "journals"),
			log: log.child({ name: "bulkhead-relay" }),
		});
		log.warn({ directory: simDirectory, images }, "This host is simulated: guests are scripts");
		return {
			hypervisor: simulated.host.startProcess("bulkheadd").hypervisor,
			close: async () => {
				relay.stop();
				await simulated.close();
			},
		};
	} catch (error) {
		await simulated.close();
		throw error;
	}
}
