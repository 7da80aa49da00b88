import { randomUUID } from "node:crypto";
import { dirname } from "node:path";
import type { SimHost, SimProcess } from "@bulkhead/hypervisor/sim";
import { dialQmp, Relay, type RelayLog } from "@bulkhead/relay";

export interface SimulatedRelayOptions {
	/** Its other sockets lie beside it. */
	controlSocket: string;
	stateDirectory: string;
	log: RelayLog;
}

/** A relay as a process of a simulated host: on a real one it is a program of its own. */
export interface SimulatedRelay {
	readonly process: SimProcess;
	/** As SIGTERM does. */
	stop(): void;
	/** As SIGKILL does: the kernel lets go of its rings; its sockets are left for the next to remove. */
	kill(): void;
}

const BOOT_IDS = new WeakMap<SimHost, string>();

/** @throws BulkheadError `relay-runs-already`, `cannot-listen` */
export async function startSimulatedRelay(
	host: SimHost,
	{ controlSocket, stateDirectory, log }: SimulatedRelayOptions,
): Promise<SimulatedRelay> {
	const process = host.startProcess("bulkhead-relay");
	try {
		const relay = await Relay.start({
			host: process.rings,
			dialQmp: dialQmp(process.rings),
			runDirectory: dirname(controlSocket),
			stateDirectory,
			bootId: bootIdOf(host),
			log,
		});
		return {
			process,
			stop: () => {
				relay.stop();
				process.end();
			},
			kill: () => {
				process.end();
				relay.stop();
			},
		};
	} catch (error) {
		process.end();
		throw error;
	}
}

/** The same for the host's whole life, as the kernel's boot_id. */
function bootIdOf(host: SimHost): string {
	const known = BOOT_IDS.get(host) ?? randomUUID();
	BOOT_IDS.set(host, known);
	return known;
}
