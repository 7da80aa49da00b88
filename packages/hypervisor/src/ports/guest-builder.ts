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
	/** Online at start. Default: all. */
	vcpus?: number;
	/** All that the guest may have, video memory included. */
	maxMemoryKiB: number;
	/** What it starts with, video memory included; less than the maximum is populated on demand. Default: the maximum. */
	memoryKiB?: number;
	videoMemoryKiB: number;
	/** hvmloader. */
	firmware: string;
	/** SeaBIOS or OVMF image. */
	bios: string;
	/** Addresses below 4 GiB that are left to devices; default 256 MiB. */
	mmioHoleMiB?: number;
	/** Whether the guest's vcpus have local APICs. Default true. */
	apic?: boolean;
	/** Files with further ACPI tables and SMBIOS structures for hvmloader. */
	acpiFirmware?: string;
	smbiosFirmware?: string;
}

/** Bytes at a physical address of the guest. */
export interface GuestBytes {
	address: number;
	bytes: Uint8Array;
}

export interface BuildPvh extends BuildCommon {
	/** What it starts with; less than the maximum is populated on demand. */
	memoryKiB: number;
	maxMemoryKiB: number;
	/** ELF or bzImage with the note of a PVH entry (elfnote.h: XEN_ELFNOTE_PHYS32_ENTRY). */
	kernel: string;
	ramdisk?: string;
	commandLine: string;
	/** The RSDP first; then what it leads to. Pieces do not share pages, and lie in PVH_ACPI. Empty: no ACPI. */
	acpi: readonly GuestBytes[];
}

/** Physical addresses of a PVH guest that are kept for ACPI tables (libxl puts them there too). */
export const PVH_ACPI = { start: 0xfc00_0000, bytes: 0x10_0000, mostPieces: 4 } as const;

/** Where hvmloader finds a file that it was given: to be published to it in xenstore. */
export interface LoadedTable {
	address: number;
	length: number;
}

/** Frame numbers to hand to xenstored and to the console backend: machine frames for PV, guest frames for HVM. */
export interface BuiltImage {
	storeFrame: number;
	consoleFrame: number;
	/** HVM, with such firmware. */
	acpiTable?: LoadedTable;
	smbiosTable?: LoadedTable;
}

/**
 * Loads an image into a created domain and leaves it ready to be unpaused (libxenguest's xc_dom_* sequence). Grant
 * table entries 0 (console page) and 1 (xenstore page) are seeded for domain 0.
 */
export interface GuestBuilder {
	buildPv(request: BuildPv): Promise<BuiltImage>;
	buildHvm(request: BuildHvm): Promise<BuiltImage>;
	buildPvh(request: BuildPvh): Promise<BuiltImage>;
}
