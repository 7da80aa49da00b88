import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ContentCache, hashFile, runProgram } from "@bulkhead/image";
import { pseudoRandomBytes } from "./pseudo-random.ts";
import { sourcePath } from "./source-files.ts";

// The same numbers as in tiny/boot.s.
const SECTOR_BYTES = 512;
const CODE_SECTORS = 8;
const DATA_LBA = 64;
const DATA_BYTES = 2 * 64 * SECTOR_BYTES;
const DISK_BYTES = 1 << 20;
const CD_DATA_BYTES = 2 * 2048;
const PROGRAM_TIMEOUT_MS = 30_000;

export interface TinyGuest {
	disk: string;
	/** A CD that boots the same guest. */
	cd: string;
	/** JSON: `sum` and `cdSum`, what the guest's command `r` prints when booted from either, 8 hexadecimal digits. */
	facts: string;
}

/** The tiny guest: boot.s assembled for a disk and for a CD, each with data for it to sum up. */
export async function buildTinyGuest(cache: ContentCache): Promise<TinyGuest> {
	const source = sourcePath("tiny/boot.s");
	const inputs = { format: 2, source: await hashFile(source) };
	const dir = await cache.cached("tiny-guest", inputs, async (out) => {
		const facts = { sum: await buildDisk(out, source), cdSum: await buildCd(out, source) };
		await writeFile(join(out, "tiny.img.json"), `${JSON.stringify(facts)}\n`);
	});
	return { disk: join(dir, "tiny.img"), cd: join(dir, "tiny-cd.iso"), facts: join(dir, "tiny.img.json") };
}

async function buildDisk(out: string, source: string): Promise<string> {
	const data = pseudoRandomBytes(1, DATA_BYTES);
	const disk = Buffer.alloc(DISK_BYTES);
	(await assemble(out, source)).copy(disk);
	data.copy(disk, DATA_LBA * SECTOR_BYTES);
	await writeFile(join(out, "tiny.img"), disk);
	return sumOfWords(data);
}

/** The data lies behind the code in the boot image, whose place on the CD xorriso tells it (`-boot-info-table`). */
async function buildCd(out: string, source: string): Promise<string> {
	const data = pseudoRandomBytes(3, CD_DATA_BYTES);
	const tree = join(out, "cd");
	await mkdir(tree);
	await writeFile(join(tree, "boot.bin"), Buffer.concat([await assemble(out, source, "--defsym", "CD=1"), data]));
	const boot = ["-b", "boot.bin", "-c", "boot.cat", "-no-emul-boot", "-boot-load-size", `${CODE_SECTORS}`];
	const argv = ["-as", "mkisofs", "-quiet", "-o", "tiny-cd.iso", "-V", "TINY", ...boot, "-boot-info-table", "cd"];
	await runProgram(["xorriso", ...argv], { cwd: out, timeoutMs: PROGRAM_TIMEOUT_MS });
	await rm(tree, { recursive: true });
	return sumOfWords(data);
}

async function assemble(out: string, source: string, ...options: string[]): Promise<Buffer> {
	const object = join(out, "boot.o");
	const binary = join(out, "boot.bin");
	await runProgram(["as", "--32", ...options, "-o", object, source], { timeoutMs: PROGRAM_TIMEOUT_MS });
	const link = ["ld", "-m", "elf_i386", "-Ttext", "0x7c00", "--oformat", "binary", "-o", binary, object] as const;
	await runProgram(link, { timeoutMs: PROGRAM_TIMEOUT_MS });
	return readFile(binary);
}

/** The sum of the little-endian 32-bit words, modulo 2^32, as 8 hexadecimal digits. */
export function sumOfWords(data: Buffer): string {
	let sum = 0;
	for (let at = 0; at < data.length; at += 4) sum = (sum + data.readUInt32LE(at)) >>> 0;
	return sum.toString(16).padStart(8, "0");
}
