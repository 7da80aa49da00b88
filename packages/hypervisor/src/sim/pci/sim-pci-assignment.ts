import type { DomId } from "@bulkhead/base";
import type { PciAssignment } from "../../ports/pci-assignment.ts";
import { checkDomid, checkInteger } from "../calls/check-arguments.ts";
import { SimFailure } from "../calls/sim-failure.ts";
import type { ProcessParts } from "../sim-process.ts";
import type { SimIommu } from "./sim-iommu.ts";

/** Assignment of the PCI devices of a simulated host. */
export class SimPciAssignment implements PciAssignment {
	readonly #parts: ProcessParts;

	constructor(parts: ProcessParts) {
		this.#parts = parts;
	}

	test(domid: DomId, device: number): Promise<void> {
		return this.#on("test", domid, device, (iommu) => {
			if (![0, "nobody"].includes(iommu.ownerOf(device) ?? -1)) throw new SimFailure("test_assign_device", "EINVAL");
		});
	}

	assign(domid: DomId, device: number): Promise<void> {
		return this.#on("assign", domid, device, (iommu) => {
			if (iommu.ownerOf(device) === domid) return;
			if (![0, "nobody"].includes(iommu.ownerOf(device) ?? -1)) throw new SimFailure("assign_device", "EBUSY");
			iommu.give(device, domid);
		});
	}

	deassign(domid: DomId, device: number): Promise<void> {
		return this.#on("deassign", domid, device, (iommu) => {
			if (iommu.ownerOf(device) !== domid) throw new SimFailure("deassign_device", "ENODEV");
			iommu.give(device, "nobody");
		});
	}

	quarantine(device: number): Promise<void> {
		return this.#run("quarantine", device, (iommu) => {
			iommu.check("assign_device", device);
			iommu.give(device, "nobody");
		});
	}

	release(device: number): Promise<void> {
		return this.#run("release", device, (iommu) => {
			iommu.check("deassign_device", device);
			iommu.give(device, 0);
		});
	}

	#on(name: string, domid: DomId, device: number, act: (iommu: SimIommu) => void): Promise<void> {
		checkDomid(domid);
		return this.#run(name, device, (iommu) => {
			const domain = this.#parts.host.find(domid);
			if (!domain || domain.isDying) throw new SimFailure(`${name}_device`, "ESRCH");
			if (!domain.hasIommu) throw new SimFailure(`${name}_device`, "EOPNOTSUPP");
			iommu.check(`${name}_device`, device);
			act(iommu);
		});
	}

	async #run(name: string, device: number, act: (iommu: SimIommu) => void): Promise<void> {
		checkInteger("device", device, 0, 0xffff_ffff);
		const { calls, host } = this.#parts;
		const attempt = `Could not ${name} PCI device ${device.toString(16)}`;
		await calls.run({ name: `pci.${name}`, attempt, fields: { device } }, () => act(host.iommu));
	}
}
