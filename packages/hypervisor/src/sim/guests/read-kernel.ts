import type { FileHandle } from "node:fs/promises";
import { SimFailure } from "../calls/sim-failure.ts";

/** What a PV kernel's file says of itself. */
export interface KernelFacts {
	guestOs: string | undefined;
	code: Uint8Array;
	/** How it can be entered; what is compressed is taken to allow both. */
	hasPvEntry: boolean;
	hasPvhEntry: boolean;
}

const ELF_HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const MOST_PROGRAM_HEADERS = 64;
const MOST_NOTE_BYTES = 64 * 1024;
const CODE_BYTES = 4096;
const PT_LOAD = 1;
const PT_NOTE = 4;
/** elfnote.h */
const XEN_ELFNOTE = { entry: 1, guestOs: 6, physicalEntry: 18 } as const;
/** A Linux bzImage: "HdrS" at 0x202; a compressed kernel: gzip's magic. */
const BZIMAGE = { offset: 0x202, magic: "HdrS" } as const;

/**
 * Looks into a kernel as far as libxenguest's loaders would refuse it: ELF64 for x86-64 with Xen's notes, a bzImage or a
 * gzip file. What is compressed is not looked into.
 * @throws SimFailure EINVAL with the loader's complaint
 */
export async function readKernel(file: FileHandle): Promise<KernelFacts> {
	const head = await read(file, 0, 1024);
	if (head.subarray(0, 4).toString("latin1") === "\x7fELF") return readElf(file, head);
	const isCompressed = head.readUInt16BE(0) === 0x1f8b;
	const isBzImage = head.toString("latin1", BZIMAGE.offset, BZIMAGE.offset + 4) === BZIMAGE.magic;
	if (isCompressed || isBzImage)
		return { guestOs: undefined, code: new Uint8Array(0), hasPvEntry: true, hasPvhEntry: true };
	throw invalid("no loader knows this kernel image");
}

async function readElf(file: FileHandle, head: Buffer): Promise<KernelFacts> {
	if (head.length < ELF_HEADER_BYTES || head[4] !== 2 || head.readUInt16LE(18) !== 62)
		throw invalid("the kernel is no ELF file for x86-64");
	const entry = head.readBigUInt64LE(24);
	const start = Number(head.readBigUInt64LE(32));
	const count = Math.min(head.readUInt16LE(56), MOST_PROGRAM_HEADERS);
	const headers = await readAll(file, start, count * PROGRAM_HEADER_BYTES);
	let code: Buffer | undefined;
	const notes = new Map<number, Buffer>();
	for (let at = 0; at < headers.length; at += PROGRAM_HEADER_BYTES) {
		const type = headers.readUInt32LE(at);
		const offset = Number(headers.readBigUInt64LE(at + 8));
		const address = headers.readBigUInt64LE(at + 16);
		const size = Number(headers.readBigUInt64LE(at + 32));
		if (type === PT_NOTE) collectNotes(await readAll(file, offset, Math.min(size, MOST_NOTE_BYTES)), notes);
		if (type !== PT_LOAD) continue;
		await readAll(file, offset + Math.max(0, size - 1), Math.min(size, 1));
		if (code === undefined && entry >= address && entry < address + BigInt(size))
			code = await read(file, offset + Number(entry - address), Math.min(CODE_BYTES, size));
	}
	const hasPvEntry = notes.has(XEN_ELFNOTE.entry);
	const hasPvhEntry = notes.has(XEN_ELFNOTE.physicalEntry);
	if (!hasPvEntry && !hasPvhEntry) throw invalid("the kernel lacks Xen's ELF notes");
	const guestOs = notes.get(XEN_ELFNOTE.guestOs)?.toString("latin1").replace(/\0.*$/s, "");
	return { guestOs, code: code ?? new Uint8Array(0), hasPvEntry, hasPvhEntry };
}

function collectNotes(bytes: Buffer, notes: Map<number, Buffer>): void {
	for (let at = 0; at + 12 <= bytes.length; ) {
		const nameBytes = bytes.readUInt32LE(at);
		const valueBytes = bytes.readUInt32LE(at + 4);
		const name = bytes.toString("latin1", at + 12, at + 12 + nameBytes);
		const value = at + 12 + padded(nameBytes);
		if (name === "Xen\0") notes.set(bytes.readUInt32LE(at + 8), bytes.subarray(value, value + valueBytes));
		at = value + padded(valueBytes);
	}
}

const padded = (bytes: number): number => Math.ceil(bytes / 4) * 4;

async function read(file: FileHandle, at: number, length: number): Promise<Buffer> {
	const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, at);
	return buffer.subarray(0, bytesRead);
}

async function readAll(file: FileHandle, at: number, length: number): Promise<Buffer> {
	const bytes = await read(file, at, length);
	if (bytes.length < length) throw invalid("the kernel image is cut short");
	return bytes;
}

function invalid(complaint: string): SimFailure {
	return new SimFailure("xc_dom_parse_image", "EINVAL", [complaint]);
}
