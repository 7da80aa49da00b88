import type { Hypervisor } from "@bulkhead/hypervisor";
import type { Logger } from "pino";
import type { DaemonOptions } from "../options.ts";

/** The host that a daemon works on. */
export interface OpenHost {
	hypervisor: Hypervisor;
	/** Switches a simulated one off. */
	close(): Promise<void>;
}

/**
 * The one place that chooses between Xen and the simulated host. Only the code of the chosen one is loaded.
 * @throws HypervisorError, BulkheadError
 */
export async function openHost(options: DaemonOptions, log: Logger): Promise<OpenHost> {
	if (options.hypervisor === "sim") {
		const { switchOnSimulatedHost } = await import("../simulated/switch-on.ts");
		return switchOnSimulatedHost(options, log);
	}
	const { openHypervisor } = await import("@bulkhead/hypervisor/native");
	return { hypervisor: openHypervisor({ imageUser: options.imageUser }), close: async () => {} };
}
