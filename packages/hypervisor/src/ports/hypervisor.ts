import type { Cpus } from "./cpus.ts";
import type { Domains } from "./domains.ts";
import type { EventChannels } from "./event-channels.ts";
import type { ForeignMemory } from "./foreign-memory.ts";
import type { GrantMaps } from "./grants.ts";
import type { GuestBuilder } from "./guest-builder.ts";
import type { HostDevices, LoopDevices } from "./host-devices.ts";
import type { HotplugScripts } from "./hotplug-scripts.ts";
import type { ImageDevices } from "./image-devices.ts";
import type { ListenerInbox, Listeners } from "./listeners.ts";
import type { NetworkLinks } from "./network-links.ts";
import type { PciAssignment } from "./pci-assignment.ts";
import type { Sysfs } from "./sysfs.ts";

/** What the privileged daemon needs of a Xen host. */
export interface Hypervisor {
	readonly domains: Domains;
	readonly cpus: Cpus;
	readonly builder: GuestBuilder;
	readonly foreignMemory: ForeignMemory;
	readonly loops: LoopDevices;
	readonly images: ImageDevices;
	readonly links: NetworkLinks;
	readonly scripts: HotplugScripts;
	readonly pci: PciAssignment;
	readonly sysfs: Sysfs;
	readonly listeners: Listeners;
	close(): void;
}

/** What a process that only serves rings needs: no hypercall privilege, only libraries with a stable ABI. */
export interface RingHost {
	readonly evtchns: EventChannels;
	readonly grants: GrantMaps;
	readonly devices: HostDevices;
	/** Makes an inbox in place of a socket that lies there. @throws HypervisorError */
	openListenerInbox(path: string): ListenerInbox;
	close(): void;
}
