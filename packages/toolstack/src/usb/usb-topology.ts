import type { GuestConfig, KeyedDeviceConfig } from "@bulkhead/xlcfg";
import { DeviceRefusedError } from "../errors.ts";

/** A USB controller that QEMU emulates beside those of `usb` and `usbversion` (libxl: type devicemodel). */
export interface UsbController {
	devid: number;
	version: 1 | 2 | 3;
	ports: number;
}

export const EMULATED_USB = ["tablet", "mouse", "keyboard"] as const;

/** What is in a port: a device of the host, or one that QEMU emulates. */
export interface UsbDevice {
	controller: number;
	port: number;
	kind: "hostdev" | (typeof EMULATED_USB)[number];
	/** Of a device of the host: its bus and its address there. */
	host?: { bus: number; address: number };
}

export interface UsbTopology {
	controllers: UsbController[];
	devices: UsbDevice[];
}

const NOTHING: UsbTopology = { controllers: [], devices: [] };
/** QEMU's EHCI; what a device without a controller gets (libxl__device_usbdev_setdefault). */
const DEFAULT_VERSION = 2;
const PORTS = {
	1: { least: 2, most: 2, usual: 2 },
	2: { least: 6, most: 6, usual: 6 },
	3: { least: 1, most: 15, usual: 8 },
};

/**
 * What the lists usbctrl and usbdev come to: numbers and ports filled in, a controller added for devices that have none.
 * @throws DeviceRefusedError
 */
export function usbTopology({
	usbControllers,
	usbDevices,
}: Pick<GuestConfig, "usbControllers" | "usbDevices">): UsbTopology {
	const withControllers = usbControllers.reduce((so, spec) => addController(so, spec).topology, NOTHING);
	return usbDevices.reduce((so, spec) => addDevice(so, spec).topology, withControllers);
}

/** @throws DeviceRefusedError */
export function addController(
	topology: UsbTopology,
	spec: KeyedDeviceConfig,
): { topology: UsbTopology; controller: UsbController } {
	const version = Number(spec.version ?? DEFAULT_VERSION) as UsbController["version"];
	const { least, most, usual } = PORTS[version];
	const ports = Number(spec.ports ?? usual);
	if (ports < least || ports > most)
		throw refused(`A USB controller of version ${version} has ${least === most ? least : `${least} to ${most}`} ports`);
	const taken = new Set(topology.controllers.map(({ devid }) => devid));
	const devid = spec.devid === undefined ? firstFree(0, taken) : Number(spec.devid);
	if (taken.has(devid)) throw refused(`The guest has a USB controller ${devid}`, "device-exists");
	const controller = { devid, version, ports };
	return { topology: { ...topology, controllers: [...topology.controllers, controller] }, controller };
}

/** @throws DeviceRefusedError */
export function addDevice(
	topology: UsbTopology,
	spec: KeyedDeviceConfig,
): { topology: UsbTopology; device: UsbDevice; controller?: UsbController } {
	const kind = (spec.type ?? "hostdev") as UsbDevice["kind"];
	const host = kind === "hostdev" ? { bus: Number(spec.hostbus), address: Number(spec.hostaddr) } : undefined;
	if (host && topology.devices.some((each) => each.host?.bus === host.bus && each.host.address === host.address))
		throw refused(`The guest has the USB device ${host.bus}:${host.address}`, "device-exists");
	const wanted = spec.controller === undefined ? undefined : Number(spec.controller);
	const place = findPort(topology, wanted, spec.port === undefined ? undefined : Number(spec.port));
	if (place) {
		const device: UsbDevice = { ...place, kind, ...(host && { host }) };
		return { topology: { ...topology, devices: [...topology.devices, device] }, device };
	}
	if (wanted !== undefined) throw refused(`USB controller ${wanted} is not there, or has no such free port`);
	const added = addController(topology, {});
	return { ...addDevice(added.topology, spec), controller: added.controller };
}

function findPort(
	{ controllers, devices }: UsbTopology,
	controller: number | undefined,
	port: number | undefined,
): Pick<UsbDevice, "controller" | "port"> | undefined {
	for (const { devid, ports } of controllers) {
		if (controller !== undefined && controller !== devid) continue;
		const taken = new Set(devices.filter((each) => each.controller === devid).map((each) => each.port));
		const free = port ?? firstFree(1, taken);
		if (free >= 1 && free <= ports && !taken.has(free)) return { controller: devid, port: free };
	}
	return undefined;
}

function firstFree(from: number, taken: ReadonlySet<number>): number {
	let number = from;
	while (taken.has(number)) number++;
	return number;
}

/** As the config's lists have them, with nothing left to fill in. */
export function usbLists({ controllers, devices }: UsbTopology): Pick<GuestConfig, "usbControllers" | "usbDevices"> {
	return {
		usbControllers: controllers.map(({ devid, version, ports }) => ({
			type: "devicemodel",
			version: `${version}`,
			ports: `${ports}`,
			devid: `${devid}`,
		})),
		usbDevices: devices.map(({ kind, host, controller, port }) => ({
			type: kind,
			...(host && { hostbus: `${host.bus}`, hostaddr: `${host.address}` }),
			controller: `${controller}`,
			port: `${port}`,
		})),
	};
}

const refused = (message: string, code: "device-exists" | "device-refused" = "device-refused"): DeviceRefusedError =>
	new DeviceRefusedError(code, message, { remedy: "See `bulkhead usb-list`" });
