import type { RingHost } from "../ports/hypervisor.ts";
import { NativeEventChannels } from "./event-channels.ts";
import { NativeGrantMaps } from "./grant-maps.ts";
import { NativeHostDevices } from "./host-devices.ts";
import { openNativeInbox } from "./listener-inbox.ts";
import { loadAddon } from "./load-addon.ts";

/**
 * Event channels, grants and kernel services for a process that serves rings. Opens /dev/xen/evtchn and
 * /dev/xen/gntdev at once: privilege may be dropped afterwards.
 * @throws HypervisorError when the addon, Xen's libraries or the devices are missing
 */
export function openRingHost(): RingHost {
	const addon = loadAddon("xenrings");
	const evtchns = new NativeEventChannels(addon);
	let grants: NativeGrantMaps;
	try {
		grants = new NativeGrantMaps(addon);
	} catch (error) {
		evtchns.close();
		throw error;
	}
	const devices = new NativeHostDevices(addon);
	return {
		evtchns,
		grants,
		devices,
		openListenerInbox: (path) => openNativeInbox(addon, path),
		close: () => {
			devices.close();
			// Before the event channels: an unmap notification needs its port.
			grants.close();
			evtchns.close();
		},
	};
}
