import type { Hypervisor } from "../ports/hypervisor.ts";
import { NativeCpus } from "./cpus.ts";
import { NativeDomains } from "./domains.ts";
import { NativeForeignMemory } from "./foreign-memory.ts";
import { NativeGuestBuilder } from "./guest-builder.ts";
import { NativeHotplugScripts } from "./hotplug-scripts.ts";
import { NativeListeners } from "./listeners.ts";
import { loadAddon } from "./load-addon.ts";
import { NativeLoopDevices } from "./loop-devices.ts";
import { NativeNetworkLinks } from "./network-links.ts";

/**
 * The Xen host that this control domain runs on. Hypercalls open Xen's devices as they need them, so that a missing
 * /dev/xen/privcmd shows in the first call.
 * @throws HypervisorError when the addons or Xen's libraries are missing
 */
export function openHypervisor(): Hypervisor {
	const rings = loadAddon("xenrings");
	const control = loadAddon("xenctrl");
	// Opened on first use: much of a toolstack's work maps nothing.
	let foreignMemory: NativeForeignMemory | undefined;
	return {
		domains: new NativeDomains(control),
		cpus: new NativeCpus(control),
		builder: new NativeGuestBuilder(control),
		loops: new NativeLoopDevices(rings),
		links: new NativeNetworkLinks(rings),
		scripts: new NativeHotplugScripts(),
		listeners: new NativeListeners(rings),
		get foreignMemory() {
			foreignMemory ??= new NativeForeignMemory(rings);
			return foreignMemory;
		},
		close: () => foreignMemory?.close(),
	};
}
