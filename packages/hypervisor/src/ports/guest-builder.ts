import type { DomId, EvtchnPort } from "@bulkhead/base";

export interface BuildCommon {
	domid: DomId;
	maxVcpus: number;
	storePort: EvtchnPort;
	consolePort: EvtchnPort;
}

export interface BuildPv extends BuildCommon {
	memoryKiB: number;
	/** Paths in the toolstack's own domain: ELF or bzImage. */
	kernel: string;
	ramdisk?: string;
	commandLine: string;
}

export interface BuildHvm extends BuildCommon {
	/** All of the guest's memory, video memory included. */
	maxMemoryKiB: number;
	videoMemoryKiB: number;
	/** hvmloader. */
	firmware: string;
	/** SeaBIOS or OVMF image. */
	bios: string;
}

/** Frame numbers to hand to xenstored and to the console backend: machine frames for PV, guest frames for HVM. */
export interface BuiltImage {
	storeFrame: number;
	consoleFrame: number;
}

/**
 * Loads an image into a created domain and leaves it ready to be unpaused (libxenguest's xc_dom_* sequence). Grant
 * table entries 0 (console page) and 1 (xenstore page) are seeded for domain 0.
 */
export interface GuestBuilder {
	buildPv(request: BuildPv): Promise<BuiltImage>;
	buildHvm(request: BuildHvm): Promise<BuiltImage>;
}
