import { readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openHypervisor, openRingHost } from "../native/index.ts";
import type { ContractHost, OpenContractHost } from "./contract-host.ts";

/** The native engine in the control domain of a Xen host. */
export function nativeContractHost(images: ContractHost["images"]): OpenContractHost {
	return async () => {
		const hypervisor = openHypervisor();
		const rings = openRingHost();
		const scratchDir = await mkdtemp(join(tmpdir(), "bulkhead-contract-"));
		return {
			hypervisor,
			rings,
			images,
			scratchDir,
			countHandles: () => readdirSync("/proc/self/fd").length,
			close: async () => {
				rings.close();
				hypervisor.close();
				await rm(scratchDir, { recursive: true, force: true });
			},
		};
	};
}
