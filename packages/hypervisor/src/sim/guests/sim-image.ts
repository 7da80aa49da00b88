/** What the builder has seen of the files that a domain was built from: enough to choose what the domain does. */
export type SimImage = SimPvImage | SimPvhImage | SimHvmImage;

interface SimImageCommon {
	memoryKiB: number;
	maxVcpus: number;
	storePort: number;
	storeFrame: number;
	consolePort: number;
	consoleFrame: number;
}

export interface SimPvImage extends SimKernelImage {
	type: "pv";
}

export interface SimPvhImage extends SimKernelImage {
	type: "pvh";
	/** What was put at which guest address, the RSDP first. */
	acpi: readonly { address: number; bytes: Uint8Array }[];
}

interface SimKernelImage extends SimImageCommon {
	kernel: string;
	/** The ELF note GUEST_OS, where the kernel is an ELF file that has one. */
	guestOs: string | undefined;
	/** The first bytes of the segment that is entered, at most a page. */
	code: Uint8Array;
	commandLine: string;
	ramdisk: { path: string; bytes: number; head: Uint8Array } | undefined;
}

export interface SimHvmImage extends SimImageCommon {
	type: "hvm";
	firmware: string;
	bios: string;
}
