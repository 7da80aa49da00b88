import type { GrantOffers } from "../ports/grant-offers.ts";
import type { Hypervisor, RingHost } from "../ports/hypervisor.ts";

/** Where engines differ, by what they are made of. Each row that asks says what the difference is. */
export interface ContractAbilities {
	/**
	 * Each mapping of a page is a look of its own, in any arrangement, that goes by itself. Without: JavaScript cannot
	 * show the same bytes through two buffers, so a page is seen in one arrangement at a time.
	 */
	independentMappings: boolean;
	/** Loop devices and ptys are nodes of the kernel. Without: loops are bookkeeping, and there are no ptys. */
	deviceNodes: boolean;
	/** The process at the other end of a socket can be told. Without: its pid is 0, and it is taken to be this user's. */
	socketPeers: boolean;
}

/** A block device that a row has open. */
export interface ContractBlock {
	/** As many bytes as there are. */
	read(at: number, length: number): Promise<Buffer>;
	/** Resolves when they are in the backing file. */
	write(at: number, bytes: Uint8Array): Promise<void>;
	close(): Promise<void>;
}

/** One engine under test. A row opens its own and closes it. */
export interface ContractHost {
	readonly hypervisor: Hypervisor;
	readonly rings: RingHost;
	/** Pages of the control domain for others to map. */
	readonly offers: GrantOffers;
	readonly abilities: ContractAbilities;
	/** Files in the control domain. */
	readonly images: { hvmloader: string; bios: string };
	/** An empty folder for this row's files. */
	readonly scratchDir: string;
	/** Opens a loop device as block backends do, by its path. */
	openBlock(path: string, access: "r" | "r+"): Promise<ContractBlock>;
	/** Makes a network interface as drivers and administrators do; it is gone when the answer is called. */
	addLink(name: string, kind: "bridge" | "port"): Promise<() => Promise<void>>;
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
