/** hvm/hvm_info_table.h: where hvmloader finds it, and its fields as the toolstack fills them. */
export const HVM_INFO_FRAME = 0x9f;
const HVM_INFO_OFFSET = 0x800;
const HVM_INFO_BYTES = 48;
const RESERVED_MEMORY_FRAME = 0xfeff0;

export interface HvmInfo {
	vcpus: number;
	maxVcpus: number;
	apic: boolean;
	/** Below the hole under 4 GiB. */
	lowPages: number;
	ramPages: number;
}

const FOUR_GIB_PAGES = 2 ** 20;

/** Writes the table into the page that it lies in. */
export function writeHvmInfo(page: Uint8Array, { vcpus, maxVcpus, apic, lowPages, ramPages }: HvmInfo): void {
	const info = Buffer.alloc(HVM_INFO_BYTES);
	info.write("HVM INFO", 0, "latin1");
	info.writeUInt32LE(HVM_INFO_BYTES, 8);
	info.writeUInt8(apic ? 1 : 0, 13); // apic_mode
	info.writeUInt32LE(maxVcpus, 16);
	info.writeUInt32LE(lowPages, 20); // low_mem_pgend
	info.writeUInt32LE(RESERVED_MEMORY_FRAME, 24);
	info.writeUInt32LE(ramPages > lowPages ? FOUR_GIB_PAGES + ramPages - lowPages : 0, 28); // high_mem_pgend
	for (let vcpu = 0; vcpu < Math.min(vcpus, 128); vcpu++)
		info[32 + (vcpu >> 3)] = (info[32 + (vcpu >> 3)] ?? 0) | (1 << (vcpu & 7));
	info.writeUInt8(-info.reduce((sum, byte) => sum + byte, 0) & 0xff, 12); // checksum
	page.set(info, HVM_INFO_OFFSET);
}
