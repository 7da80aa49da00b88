import type { GuestPci } from "@bulkhead/api";
import { attachPci, checkPciGuest, DeviceRefusedError, detachPci } from "@bulkhead/toolstack";
import { type PciDeviceConfig, parsePciSpec } from "@bulkhead/xlcfg";
import type { Services } from "../services.ts";
import type { Guest } from "./guest.ts";
import { requireRunning } from "./power.ts";

const DEFAULTS = { permissive: false, msiTranslate: false, powerManagement: false, seize: false };

/** The guest's PCI devices. */
export const describePci = ({ record }: Guest): GuestPci[] => record.config.pci.map(describe);

/** Gives a running guest a PCI device of the host, which it keeps from then on. */
export function attachPciTo(guest: Guest, services: Services, spec: string): Promise<GuestPci> {
	return guest.operations.run(async () => {
		requireRunning(guest);
		const { config } = guest.record;
		const device = parsePciSpec(spec, DEFAULTS);
		checkPciGuest(config);
		if (config.pci.length === 0 && config.passthrough === undefined)
			throw new DeviceRefusedError("device-refused", "The guest was started without access to the IOMMU", {
				remedy: 'Start it with passthrough = "enabled", or with a PCI device in its config',
			});
		await attachPci(guest.context(services), device, { starting: false });
		await keep(guest, services, [...config.pci, device]);
		services.events.emit("device-attached", { guest: guest.identity, kind: "pci", ...describe(device) });
		return describe(device);
	});
}

/** Takes a PCI device from a running guest: named by its address or its name. */
export function detachPciFrom(
	guest: Guest,
	services: Services,
	place: string,
	{ force }: { force: boolean },
): Promise<GuestPci> {
	return guest.operations.run(async () => {
		requireRunning(guest);
		const { config, runtime } = guest.record;
		const device = config.pci.find(({ address, name }) => address === place || name === place);
		if (!device)
			throw new DeviceRefusedError("no-such-device", `The guest has no PCI device ${JSON.stringify(place)}`, {
				remedy: "See `bulkhead pci-list` for those that it has",
			});
		const context = guest.context(services);
		const stem = device.address.replace(/\*$/, "");
		const held = (runtime.pci ?? []).map(({ address }) => address);
		const addresses =
			device.name === undefined
				? held.filter((address) => address.startsWith(stem))
				: held.filter((address) => !config.pci.some((other) => other !== device && covers(other, address)));
		await detachPci(context, addresses, { ask: !force });
		await keep(
			guest,
			services,
			config.pci.filter((each) => each !== device),
		);
		services.events.emit("device-detached", { guest: guest.identity, kind: "pci", ...describe(device) });
		return describe(device);
	});
}

const covers = ({ address }: PciDeviceConfig, held: string): boolean =>
	address !== "" && held.startsWith(address.replace(/\*$/, ""));

async function keep({ record }: Guest, { store }: Services, pci: PciDeviceConfig[]): Promise<void> {
	record.config = { ...record.config, pci };
	await store.save(record);
}

const describe = ({ address, name, slot }: PciDeviceConfig): GuestPci => ({
	address,
	...(name !== undefined && { name }),
	...(slot !== undefined && { slot }),
});
