const NOTES_OFFSET = 0x200;
const CODE_OFFSET = 0x1000;
const PAGE = 0x1000;

export interface ElfKernel {
	/** Where its one page is loaded; it is entered at its first byte. */
	virtual: bigint;
	physical: bigint;
	code: Uint8Array;
	/** Xen's notes (elfnote.h). */
	notes: readonly Buffer[];
}

/** An ELF64 file for x86-64 of one segment of one page, and a segment of notes. */
export function elfKernel({ virtual, physical, code, notes }: ElfKernel): Uint8Array {
	const noteBytes = Buffer.concat(notes);
	const file = Buffer.alloc(CODE_OFFSET + PAGE);
	elfHeader(virtual).copy(file, 0);
	const load = { type: 1, flags: 7, offset: CODE_OFFSET, virtual, physical, size: PAGE };
	programHeader(load).copy(file, 64);
	const noted = { type: 4, flags: 4, offset: NOTES_OFFSET, virtual: 0n, physical: 0n, size: noteBytes.length };
	programHeader(noted).copy(file, 120);
	noteBytes.copy(file, NOTES_OFFSET);
	file.set(code, CODE_OFFSET);
	return file;
}

function elfHeader(entry: bigint): Buffer {
	const header = Buffer.alloc(64);
	Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]).copy(header); // ELF64, little-endian, version 1
	header.writeUInt16LE(2, 16); // executable
	header.writeUInt16LE(62, 18); // x86-64
	header.writeUInt32LE(1, 20);
	header.writeBigUInt64LE(entry, 24);
	header.writeBigUInt64LE(64n, 32); // program headers follow
	header.writeUInt16LE(64, 52);
	header.writeUInt16LE(56, 54);
	header.writeUInt16LE(2, 56); // two of them
	header.writeUInt16LE(64, 58); // size of a section header, of which there are none
	return header;
}

interface Segment {
	type: number;
	flags: number;
	offset: number;
	virtual: bigint;
	physical: bigint;
	size: number;
}

function programHeader({ type, flags, offset, virtual, physical, size }: Segment): Buffer {
	const header = Buffer.alloc(56);
	header.writeUInt32LE(type, 0);
	header.writeUInt32LE(flags, 4);
	header.writeBigUInt64LE(BigInt(offset), 8);
	header.writeBigUInt64LE(virtual, 16);
	header.writeBigUInt64LE(physical, 24);
	header.writeBigUInt64LE(BigInt(size), 32);
	header.writeBigUInt64LE(BigInt(size), 40);
	header.writeBigUInt64LE(BigInt(type === 1 ? PAGE : 4), 48);
	return header;
}

/** An ELF note with the owner "Xen", padded to four bytes. */
export function note(type: number, value: Buffer): Buffer {
	const header = Buffer.alloc(16);
	header.writeUInt32LE(4, 0);
	header.writeUInt32LE(value.length, 4);
	header.writeUInt32LE(type, 8);
	header.write("Xen\0", 12, "latin1");
	return Buffer.concat([header, value, Buffer.alloc((4 - (value.length % 4)) % 4)]);
}

export function u64(value: bigint): Buffer {
	const bytes = Buffer.alloc(8);
	bytes.writeBigUInt64LE(value);
	return bytes;
}
