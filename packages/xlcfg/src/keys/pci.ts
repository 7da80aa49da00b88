import { InvalidInputError } from "@bulkhead/base";
import type { GuestConfig, PciDeviceConfig } from "../guest-config.ts";
import { checkIoMemory, checkIoPorts } from "../specs/access-specs.ts";
import { type PciDefaults, parsePciSpec } from "../specs/pci-spec.ts";
import { type ConfigReader, parseInteger } from "./config-reader.ts";
import { readEach } from "./read-path.ts";

type Hardware = Pick<GuestConfig, "pci" | "ioPorts" | "irqs" | "ioMemory">;

/** Pieces of the host's hardware that the guest gets (xl-cfg.md §10). */
export function readHardware(reader: ConfigReader): Hardware {
	const defaults: PciDefaults = {
		permissive: reader.boolean("pci_permissive") ?? false,
		msiTranslate: reader.boolean("pci_msitranslate") ?? false,
		powerManagement: reader.boolean("pci_power_mgmt") ?? false,
		seize: reader.boolean("pci_seize") ?? false,
	};
	const pci: PciDeviceConfig[] = [];
	for (const device of readEach(reader, "pci", (text, _, place) => ({ spec: parsePciSpec(text, defaults), place }))) {
		reader.attempt("pci", () => checkPciFits(device.spec, pci), device.place);
		pci.push(device.spec);
	}
	return {
		pci,
		ioPorts: readEach(reader, "ioports", checkIoPorts, { numbers: true }),
		irqs: readEach(reader, "irqs", checkIrq, { numbers: true }),
		ioMemory: readEach(reader, "iomem", checkIoMemory),
	};
}

/** @throws InvalidInputError when a device is given twice, or two devices have one slot */
export function checkPciFits(device: PciDeviceConfig, earlier: readonly PciDeviceConfig[]): void {
	for (const { address, name, slot } of earlier) {
		if (address === device.address && name === device.name)
			throw new InvalidInputError(`PCI device ${device.name ?? device.address} is given twice`);
		if (slot !== undefined && slot === device.slot)
			throw new InvalidInputError(`Two PCI devices have the slot ${slot.toString(16)}`);
	}
}

function checkIrq(text: string): number {
	const irq = parseInteger(text.trim());
	if (irq !== undefined && irq >= 0 && irq <= 0xffff) return irq;
	throw new InvalidInputError("An interrupt is a whole number from 0 to 65535");
}
