/** What the files of a simulated host say of themselves. */
export type SimKernelKind = "linux-guest" | "linux-stub";

const GUEST_OS_PREFIX = "bulkhead-sim:";
const VIRT_BASE = 0xffff_ffff_8000_0000n;
const NOTES_OFFSET = 0x200;
const CODE_OFFSET = 0x1000;
/** elfnote.h */
const NOTE = { entry: 1, virtBase: 3, xenVersion: 5, guestOs: 6, loader: 8 } as const;

/** Which simulated program a kernel's GUEST_OS note stands for, if it is one of ours. */
export function simKernelKind(guestOs: string | undefined): SimKernelKind | undefined {
	const kind = guestOs?.startsWith(GUEST_OS_PREFIX) ? guestOs.slice(GUEST_OS_PREFIX.length) : undefined;
	return kind === "linux-guest" || kind === "linux-stub" ? kind : undefined;
}

/**
 * An ELF file with Xen's notes and no code to speak of (it halts): a simulated host knows by GUEST_OS what to do in its
 * place, a real one would load it and see it do nothing.
 */
export function simKernel(kind: SimKernelKind): Uint8Array {
	const notes = Buffer.concat([
		note(NOTE.guestOs, text(`${GUEST_OS_PREFIX}${kind}`)),
		note(NOTE.xenVersion, text("xen-3.0")),
		note(NOTE.loader, text("generic")),
		note(NOTE.virtBase, u64(VIRT_BASE)),
		note(NOTE.entry, u64(VIRT_BASE)),
	]);
	// jmp to itself
	const code = Buffer.from([0xeb, 0xfe]);
	const file = Buffer.alloc(CODE_OFFSET + code.length);
	elfHeader().copy(file, 0);
	programHeader(1, CODE_OFFSET, VIRT_BASE, code.length).copy(file, 64);
	programHeader(4, NOTES_OFFSET, 0n, notes.length).copy(file, 120);
	notes.copy(file, NOTES_OFFSET);
	code.copy(file, CODE_OFFSET);
	return file;
}

/** Executable, ELF64, little-endian, x86-64, two program headers. */
function elfHeader(): Buffer {
	const header = Buffer.alloc(64);
	Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]).copy(header);
	header.writeUInt16LE(2, 16);
	header.writeUInt16LE(62, 18);
	header.writeUInt32LE(1, 20);
	header.writeBigUInt64LE(VIRT_BASE, 24);
	header.writeBigUInt64LE(64n, 32);
	header.writeUInt16LE(64, 52);
	header.writeUInt16LE(56, 54);
	header.writeUInt16LE(2, 56);
	header.writeUInt16LE(64, 58);
	return header;
}

function programHeader(type: number, offset: number, address: bigint, bytes: number): Buffer {
	const header = Buffer.alloc(56);
	header.writeUInt32LE(type, 0);
	header.writeUInt32LE(type === 1 ? 7 : 4, 4);
	header.writeBigUInt64LE(BigInt(offset), 8);
	header.writeBigUInt64LE(address, 16);
	header.writeBigUInt64LE(BigInt(bytes), 32);
	header.writeBigUInt64LE(BigInt(bytes), 40);
	header.writeBigUInt64LE(BigInt(type === 1 ? 0x1000 : 4), 48);
	return header;
}

function note(type: number, value: Buffer): Buffer {
	const header = Buffer.alloc(16);
	header.writeUInt32LE(4, 0);
	header.writeUInt32LE(value.length, 4);
	header.writeUInt32LE(type, 8);
	header.write("Xen\0", 12, "latin1");
	return Buffer.concat([header, value, Buffer.alloc((4 - (value.length % 4)) % 4)]);
}

const text = (value: string): Buffer => Buffer.from(`${value}\0`, "latin1");

function u64(value: bigint): Buffer {
	const bytes = Buffer.alloc(8);
	bytes.writeBigUInt64LE(value);
	return bytes;
}
