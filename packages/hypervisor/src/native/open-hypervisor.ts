import type { Hypervisor } from "../ports/hypervisor.ts";
import { NativeCpus } from "./cpus.ts";
import { NativeDomains } from "./domains.ts";
import { NativeForeignMemory } from "./foreign-memory.ts";
import { NativeGuestBuilder } from "./guest-builder.ts";
import { NativeHotplugScripts } from "./hotplug-scripts.ts";
import { NativeImageDevices } from "./image-devices.ts";
import { NativeListeners } from "./listeners.ts";
import { loadAddon } from "./load-addon.ts";
import { NativeLoopDevices } from "./loop-devices.ts";
import { NativeNetworkLinks } from "./network-links.ts";
import { NativePciAssignment } from "./pci-assignment.ts";
import { NativeSysfs } from "./sysfs.ts";

export interface HypervisorOptions {
	/** Whom the servers of disk images run as. */
	imageUser?: string;
}

/**
 * The Xen host that this control domain runs on. Hypercalls open Xen's devices as they need them, so that a missing
 * /dev/xen/privcmd shows in the first call.
 * @throws HypervisorError when the addons or Xen's libraries are missing
 */
export function openHypervisor({ imageUser = "bulkhead-image" }: HypervisorOptions = {}): Hypervisor {
	const rings = loadAddon("xenrings");
	const control = loadAddon("xenctrl");
	// Opened on first use: much of a toolstack's work maps nothing.
	let foreignMemory: NativeForeignMemory | undefined;
	return {
		domains: new NativeDomains(control),
		cpus: new NativeCpus(control),
		builder: new NativeGuestBuilder(control),
		loops: new NativeLoopDevices(rings),
		images: new NativeImageDevices(imageUser),
		links: new NativeNetworkLinks(rings),
		scripts: new NativeHotplugScripts(),
		pci: new NativePciAssignment(control),
		sysfs: new NativeSysfs(),
		listeners: new NativeListeners(rings),
		get foreignMemory() {
			foreignMemory ??= new NativeForeignMemory(rings);
			return foreignMemory;
		},
		close: () => foreignMemory?.close(),
	};
}
