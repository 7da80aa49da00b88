import type { DomId, EvtchnPort, Uuid } from "@bulkhead/base";
import type { Role } from "./steps.ts";

/** What is known of one domain of a guest while it exists. */
export interface DomainRuntime {
	/** Chosen before the domain is made and given to Xen as its handle: it finds the domain whatever else was lost. */
	uuid: Uuid;
	domid?: DomId;
	storePort?: EvtchnPort;
	consolePort?: EvtchnPort;
	storeFrame?: number;
	consoleFrame?: number;
}

/** A channel by its name in the config, and the number of its console in the guest. */
export interface PlacedChannel {
	name: string;
	devid: number;
}

/** A QEMU in domain 0. */
export interface LocalQemu {
	pid?: number;
	/** Tells it from a later process with its number. */
	startTime?: string;
	/** A uid that nobody but this QEMU has: whatever runs under it goes with the guest. */
	ownUid?: number;
	/** Its emulated serial ports that are ptys. */
	serialTtys?: { port: number; path: string }[];
}

/** The screen of a guest with a stub domain. */
export interface ScreenRuntime {
	/** How many may look at once: 0 for an image without screen. Absent until the stub domain has said it. */
	viewers?: number;
	/** Where viewers come by TCP. */
	address?: string;
	port?: number;
}

/** What is known of a guest beyond its config: kept on disk, so that a new daemon can adopt or undo it. */
export interface GuestRuntime {
	guest: DomainRuntime;
	stub?: DomainRuntime;
	/** Names of the disks that were attached since the guest's start: QEMU does not know them. */
	attachedDisks?: string[];
	/** Functions of the host's PCI devices that it has, with its own numbers of their interrupts. */
	pci?: { address: string; pirq?: number }[];
	/** Present for a guest that has a QEMU in domain 0; empty until that is started. */
	/** Which console number each channel has until the guest's next start. */
	channels?: PlacedChannel[];
	screen?: ScreenRuntime;
	/** Present for an HVM guest whose QEMU is a process of domain 0; empty until that is started. */
	qemu?: LocalQemu;
}

export function runtimeOf(runtime: GuestRuntime, role: Role): DomainRuntime {
	const domain = runtime[role];
	if (!domain) throw new TypeError(`The guest has no ${role} domain`);
	return domain;
}

export function domidOf(runtime: GuestRuntime, role: Role): DomId {
	const { domid } = runtimeOf(runtime, role);
	if (domid === undefined) throw new TypeError(`The ${role} domain has not been created`);
	return domid;
}

/** @throws TypeError when an earlier step did not provide it: a mistake in a plan */
export function provided<T>(value: T | undefined, what: string): T {
	if (value === undefined) throw new TypeError(`No ${what} yet: a step is missing from the plan`);
	return value;
}
