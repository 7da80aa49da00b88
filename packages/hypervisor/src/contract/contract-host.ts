import type { Hypervisor, RingHost } from "../ports/hypervisor.ts";

/** One engine under test. A row opens its own and closes it. */
export interface ContractHost {
	readonly hypervisor: Hypervisor;
	readonly rings: RingHost;
	/** Files in the control domain. */
	readonly images: { hvmloader: string; bios: string };
	/** An empty folder for this row's files. */
	readonly scratchDir: string;
	/** Descriptors or other handles that the engine holds now: to find leaks. */
	countHandles(): number;
	/** Releases everything. Idempotent. */
	close(): Promise<void>;
}

export type OpenContractHost = () => Promise<ContractHost>;

/** One promise of the ports: fulfilled when `run` resolves. */
export interface ContractRow {
	/** A sentence: "domains: a new domain is listed, paused, with its uuid". */
	readonly name: string;
	run(): Promise<void>;
}
