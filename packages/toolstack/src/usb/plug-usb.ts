import { DeadlineError, delay, ProtocolError } from "@bulkhead/base";
import type { ToolstackContext } from "../context.ts";
import { DeviceError } from "../errors.ts";
import type { UsbController, UsbDevice, UsbTopology } from "./usb-topology.ts";

const QMP_MS = 15_000;
/** A guest's kernel ejects a PCI device when it gets to it. */
const EJECT_MS = 10_000;
const POLL_MS = 200;
const MOST_OBJECTS = 1024;

type Qemu = Pick<ToolstackContext, "rings" | "config">;

/** libxl__device_usbctrl_add_hvm. */
const CONTROLLERS = { 1: "piix3-usb-uhci", 2: "usb-ehci", 3: "nec-usb-xhci" } as const;
const EMULATED = { tablet: "usb-tablet", mouse: "usb-mouse", keyboard: "usb-kbd" } as const;

/** QEMU's names. */
const controllerId = (devid: number): string => `xenusb-${devid}`;
const deviceId = ({ controller, port }: Pick<UsbDevice, "controller" | "port">): string =>
	`xenusb-${controller}-${port}`;

export async function plugUsb(qemu: Qemu, { controllers, devices }: UsbTopology): Promise<void> {
	for (const controller of controllers) await plugController(qemu, controller);
	for (const device of devices) await plugDevice(qemu, device);
}

/** @throws what QMP throws */
export async function plugController(qemu: Qemu, { devid, version, ports }: UsbController): Promise<void> {
	const many = version === 3 ? { p2: ports, p3: ports } : {};
	await ask(qemu, "device_add", { driver: CONTROLLERS[version], id: controllerId(devid), ...many });
}

/** @throws what QMP throws */
export async function plugDevice(qemu: Qemu, device: UsbDevice): Promise<void> {
	const { controller, port, kind, host } = device;
	const what =
		kind === "hostdev"
			? { driver: "usb-host", hostbus: host?.bus, hostaddr: host?.address }
			: { driver: EMULATED[kind] };
	await ask(qemu, "device_add", {
		...what,
		id: deviceId(device),
		bus: `${controllerId(controller)}.0`,
		port: `${port}`,
	});
}

/** A USB device goes at once: nobody asks the guest. @throws DeviceError; what QMP throws */
export async function unplugDevice(qemu: Qemu, device: UsbDevice): Promise<void> {
	await unplug(qemu, deviceId(device), "QEMU keeps the USB device");
}

/** A controller is a PCI device, which goes when the guest's kernel ejects it. @throws DeviceError; what QMP throws */
export async function unplugController(qemu: Qemu, { devid }: Pick<UsbController, "devid">): Promise<void> {
	await unplug(qemu, controllerId(devid), "The guest does not let its USB controller go");
}

async function unplug(qemu: Qemu, id: string, complaint: string): Promise<void> {
	await ask(qemu, "device_del", { id });
	const limit = performance.now() + EJECT_MS;
	while ((await pluggedIds(qemu)).includes(id)) {
		if (performance.now() > limit)
			throw new DeviceError(complaint, {
				cause: new DeadlineError(`It was still there after ${EJECT_MS} ms`),
				remedy: "Try again once the guest's kernel runs",
			});
		await delay(POLL_MS);
	}
}

/** The ids of everything that was plugged in. @throws ProtocolError when QEMU's answer is none */
async function pluggedIds(qemu: Qemu): Promise<string[]> {
	const answer = await ask(qemu, "qom-list", { path: "/machine/peripheral" });
	if (!Array.isArray(answer) || answer.length > MOST_OBJECTS)
		throw new ProtocolError("QEMU's answer about devices cannot be understood");
	return answer.flatMap((entry: unknown) => {
		const name: unknown = typeof entry === "object" && entry !== null ? Reflect.get(entry, "name") : undefined;
		return typeof name === "string" ? [name] : [];
	});
}

const ask = ({ rings, config }: Qemu, command: string, args: Record<string, unknown>): Promise<unknown> =>
	rings.executeQmp(config.uuid, command, args, QMP_MS);
