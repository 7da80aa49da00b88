import type { DomId } from "@bulkhead/base";
import type { PciAssignment } from "../ports/pci-assignment.ts";
import { attemptAsync } from "../refusal.ts";
import type { ControlAddon } from "./addon-shapes.ts";

/** Assignment of PCI devices by libxenctrl. */
export class NativePciAssignment implements PciAssignment {
	readonly #addon: ControlAddon;

	constructor(addon: ControlAddon) {
		this.#addon = addon;
	}

	test(domid: DomId, device: number): Promise<void> {
		return this.#run(`give domain ${domid}`, device, () => this.#addon.testAssignPci(domid, device));
	}

	assign(domid: DomId, device: number, { relaxed }: { relaxed: boolean }): Promise<void> {
		return this.#run(`give domain ${domid}`, device, () => this.#addon.assignPci(domid, device, relaxed));
	}

	deassign(domid: DomId, device: number): Promise<void> {
		return this.#run(`take from domain ${domid}`, device, () => this.#addon.deassignPci(domid, device));
	}

	quarantine(device: number): Promise<void> {
		return this.#run("put aside", device, () => this.#addon.quarantinePci(device, true));
	}

	release(device: number): Promise<void> {
		return this.#run("give domain 0 back", device, () => this.#addon.quarantinePci(device, false));
	}

	#run(verb: string, device: number, call: () => Promise<void>): Promise<void> {
		return attemptAsync(`Could not ${verb} PCI device ${device.toString(16)}`, call, { device });
	}
}
