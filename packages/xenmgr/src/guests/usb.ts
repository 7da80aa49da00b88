import type { GuestUsbController, GuestUsbDevice } from "@bulkhead/api";
import {
	addController,
	addDevice,
	checkController,
	checkUsbDevice,
	DeviceRefusedError,
	plugController,
	plugDevice,
	type UsbTopology,
	unplugController,
	unplugDevice,
	usbLists,
	usbTopology,
} from "@bulkhead/toolstack";
import { parseKeyedDevice } from "@bulkhead/xlcfg";
import type { Services } from "../services.ts";
import type { Guest } from "./guest.ts";
import { requireRunning } from "./power.ts";

/** The guest's USB controllers with what is in their ports. */
export function describeUsb({ record }: Guest): GuestUsbController[] {
	const { controllers, devices } = usbTopology(record.config);
	return controllers.map((controller) => ({
		...controller,
		devices: devices.filter((device) => device.controller === controller.devid),
	}));
}

/** Gives a running guest a USB controller, which it keeps from then on. */
export function attachUsbController(guest: Guest, services: Services, spec: string): Promise<GuestUsbController> {
	return guest.operations.run(async () => {
		requireRunning(guest);
		const { config } = guest.record;
		const asked = parseKeyedDevice("usbctrl", spec);
		checkController(config, asked);
		const { topology, controller } = addController(usbTopology(config), asked);
		await plugController(guest.context(services), controller);
		await keep(guest, services, topology);
		tell(guest, services, "device-attached", { kind: "usbctrl", devid: controller.devid });
		return { ...controller, devices: [] };
	});
}

/** Takes a USB controller away, and what is in its ports. */
export function detachUsbController(guest: Guest, services: Services, devid: number): Promise<GuestUsbController> {
	return guest.operations.run(async () => {
		requireRunning(guest);
		const found = describeUsb(guest).find((controller) => controller.devid === devid);
		if (!found) throw noSuch(`The guest has no USB controller ${devid}`);
		const context = guest.context(services);
		for (const device of found.devices) {
			await unplugDevice(context, device);
			await forget(guest, services, device);
		}
		await unplugController(context, { devid });
		const { controllers, devices } = usbTopology(guest.record.config);
		await keep(guest, services, { controllers: controllers.filter((each) => each.devid !== devid), devices });
		tell(guest, services, "device-detached", { kind: "usbctrl", devid });
		return found;
	});
}

/** Plugs a USB device into a running guest, with a new controller when no port is free. */
export function attachUsbDevice(guest: Guest, services: Services, spec: string): Promise<GuestUsbDevice> {
	return guest.operations.run(async () => {
		requireRunning(guest);
		const { config } = guest.record;
		const asked = parseKeyedDevice("usbdev", spec);
		checkUsbDevice(config, asked);
		const before = usbTopology(config);
		const { topology, device, controller } = addDevice(before, asked);
		const context = guest.context(services);
		if (controller) {
			await plugController(context, controller);
			await keep(guest, services, { ...before, controllers: [...before.controllers, controller] });
		}
		await plugDevice(context, device);
		await keep(guest, services, topology);
		tell(guest, services, "device-attached", { kind: "usb", controller: device.controller, port: device.port });
		return device;
	});
}

export function detachUsbDevice(
	guest: Guest,
	services: Services,
	place: { controller: number; port: number },
): Promise<GuestUsbDevice> {
	return guest.operations.run(async () => {
		requireRunning(guest);
		const device = usbTopology(guest.record.config).devices.find(
			({ controller, port }) => controller === place.controller && port === place.port,
		);
		if (!device) throw noSuch(`There is no USB device in port ${place.port} of controller ${place.controller}`);
		await unplugDevice(guest.context(services), device);
		await forget(guest, services, device);
		tell(guest, services, "device-detached", { kind: "usb", ...place });
		return device;
	});
}

async function forget(guest: Guest, services: Services, { controller, port }: GuestUsbDevice): Promise<void> {
	const { controllers, devices } = usbTopology(guest.record.config);
	const others = devices.filter((each) => each.controller !== controller || each.port !== port);
	await keep(guest, services, { controllers, devices: others });
}

/** On the disk before anybody is told: the next daemon, and the next start of the guest, know it. */
async function keep({ record }: Guest, { store }: Services, topology: UsbTopology): Promise<void> {
	record.config = { ...record.config, ...usbLists(topology) };
	await store.save(record);
}

function tell(
	guest: Guest,
	{ events }: Services,
	type: "device-attached" | "device-detached",
	details: Record<string, unknown>,
): void {
	events.emit(type, { guest: guest.identity, ...details });
}

const noSuch = (message: string): DeviceRefusedError =>
	new DeviceRefusedError("no-such-device", message, { remedy: "See `bulkhead usb-list` for those that it has" });
