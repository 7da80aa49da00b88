import { SimFailure } from "../calls/sim-failure.ts";

/** The IOMMU of a simulated host: who has each of its PCI devices. */
export class SimIommu {
	/** A host without one has no devices here. */
	readonly isPresent: boolean;
	readonly #owners: Map<number, number | "nobody">;

	/** `devices`: by their numbers, all of domain 0's at first. */
	constructor(devices: readonly number[] | undefined) {
		this.isPresent = devices !== undefined;
		this.#owners = new Map(devices?.map((device) => [device, 0]));
	}

	/** @throws SimFailure as Xen has it */
	check(operation: string, device: number): void {
		if (!this.isPresent) throw new SimFailure(operation, "EOPNOTSUPP");
		if (!this.#owners.has(device)) throw new SimFailure(operation, "ENODEV");
	}

	ownerOf(device: number): number | "nobody" | undefined {
		return this.#owners.get(device);
	}

	give(device: number, owner: number | "nobody"): void {
		this.#owners.set(device, owner);
	}

	/** A domain has gone: what it had is nobody's. */
	reclaim(domid: number): void {
		for (const [device, owner] of this.#owners) if (owner === domid) this.#owners.set(device, "nobody");
	}
}
