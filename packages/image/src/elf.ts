import { open } from "node:fs/promises";
import { ProtocolError } from "@bulkhead/base";

/** What the dynamic linker needs to know of a program or library. */
export interface ElfDynamics {
	/** PT_INTERP: the dynamic linker, for programs. */
	interpreter?: string;
	/** DT_NEEDED: names of libraries. */
	needed: string[];
	/** DT_RUNPATH or DT_RPATH, split at colons. */
	runpath: string[];
}

// From <elf.h> (System V ABI, 64-bit, little endian).
const MAGIC = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_INTERP = 3;
const DT_NEEDED = 1;
const DT_STRTAB = 5;
const DT_STRSZ = 10;
const DT_RPATH = 15;
const DT_RUNPATH = 29;
const PROGRAM_HEADER_BYTES = 56;
const MAX_PROGRAM_HEADERS = 256;
const MAX_TABLE_BYTES = 16 << 20;

/** Reads the dynamic section of a 64-bit ELF file. @returns undefined when the file is not of that kind */
export async function readElfDynamics(path: string): Promise<ElfDynamics | undefined> {
	await using file = await open(path, "r");
	const bytesAt = async (offset: number, length: number): Promise<Buffer> => {
		if (!Number.isSafeInteger(offset) || length < 0 || length > MAX_TABLE_BYTES) throw malformed(path);
		const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, offset);
		if (bytesRead !== length) throw malformed(path);
		return buffer;
	};
	const start = await file.read(Buffer.alloc(64), 0, 64, 0);
	if (start.bytesRead < 64 || !start.buffer.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
	const count = start.buffer.readUInt16LE(56);
	if (count > MAX_PROGRAM_HEADERS || start.buffer.readUInt16LE(54) !== PROGRAM_HEADER_BYTES) {
		if (count === 0) return { needed: [], runpath: [] };
		throw malformed(path);
	}
	const table = await bytesAt(word(start.buffer, 32), count * PROGRAM_HEADER_BYTES);
	const segments = Array.from({ length: count }, (_, at) => {
		const entry = table.subarray(at * PROGRAM_HEADER_BYTES);
		return { type: entry.readUInt32LE(0), offset: word(entry, 8), address: word(entry, 16), bytes: word(entry, 32) };
	});
	const dynamics: ElfDynamics = { needed: [], runpath: [] };
	const interp = segments.find(({ type }) => type === PT_INTERP);
	if (interp)
		dynamics.interpreter = (await bytesAt(interp.offset, interp.bytes)).toString("utf8").replace(/\0.*$/s, "");
	const dynamic = segments.find(({ type }) => type === PT_DYNAMIC);
	if (!dynamic || dynamic.bytes === 0) return dynamics;
	const section = await bytesAt(dynamic.offset, dynamic.bytes);
	const tags: { tag: number; value: number }[] = [];
	for (let at = 0; at + 16 <= section.length; at += 16)
		tags.push({ tag: word(section, at), value: word(section, at + 8) });
	const value = (wanted: number): number | undefined => tags.find(({ tag }) => tag === wanted)?.value;
	const address = value(DT_STRTAB);
	const load = segments.find(
		(each) =>
			each.type === PT_LOAD && address !== undefined && address >= each.address && address < each.address + each.bytes,
	);
	if (address === undefined || !load) throw malformed(path);
	const strings = await bytesAt(load.offset + address - load.address, value(DT_STRSZ) ?? 0);
	const string = (at: number): string => {
		const end = strings.indexOf(0, at);
		if (at >= strings.length || end < 0) throw malformed(path);
		return strings.toString("utf8", at, end);
	};
	for (const { tag, value: at } of tags) {
		if (tag === DT_NEEDED) dynamics.needed.push(string(at));
		if (tag === DT_RPATH || tag === DT_RUNPATH) dynamics.runpath.push(...string(at).split(":"));
	}
	return dynamics;
}

function word(bytes: Buffer, at: number): number {
	return Number(bytes.readBigUInt64LE(at));
}

function malformed(path: string): ProtocolError {
	return new ProtocolError(`${path} is not a well-formed ELF file`, { fields: { path } }, "malformed-elf");
}
