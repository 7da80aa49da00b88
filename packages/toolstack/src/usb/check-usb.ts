import type { GuestConfig, KeyedDeviceConfig } from "@bulkhead/xlcfg";
import { DeviceRefusedError } from "../errors.ts";

type Place = Pick<GuestConfig, "type" | "deviceModel">;

/** @throws DeviceRefusedError unless QEMU can emulate the controller */
export function checkController({ type, deviceModel }: Place, spec: KeyedDeviceConfig): void {
	if (type !== "hvm")
		throw refused(
			"A PV guest's kernel has no driver for USB: Linux' frontend (xen-hcd) is not built by Debian, and its backend was never part of Linux",
			"Make the guest an HVM one, or hand it a USB controller by pci",
		);
	if (!["auto", "devicemodel", undefined].includes(spec.type))
		throw refused(`A USB controller of type ${spec.type} needs PV drivers that no Debian kernel has`, "Leave type out");
	if (!["0", "Domain-0", undefined].includes(spec.backend))
		throw refused("USB is emulated by the guest's own device model, not by another domain", "Leave backend= out");
	if (deviceModel?.place === "minios")
		throw refused("The older QEMU in MiniOS takes no USB controller", 'Write device_model_version = "qemu-xen"');
}

/** @throws DeviceRefusedError unless QEMU where it runs can reach the device */
export function checkUsbDevice(place: Place, spec: KeyedDeviceConfig): void {
	checkController(place, {});
	if ((spec.type ?? "hostdev") !== "hostdev") return;
	const { deviceModel } = place;
	if (deviceModel?.place !== "dom0")
		throw refused(
			"A stub domain has none of the host's USB devices",
			"Hand the stub domain's guest a whole USB controller by pci, or use device_model_stubdomain_override = 0",
		);
	if (deviceModel.restrict || deviceModel.user !== undefined)
		throw refused("A restricted QEMU may not open the host's USB devices", "Remove dm_restrict and device_model_user");
}

const refused = (message: string, remedy: string): DeviceRefusedError =>
	new DeviceRefusedError("device-refused", message, { remedy });
