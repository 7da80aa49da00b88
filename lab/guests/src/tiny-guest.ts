import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ContentCache, hashFile, runProgram } from "@bulkhead/image";
import { pseudoRandomBytes } from "./pseudo-random.ts";
import { sourcePath } from "./source-files.ts";

// The same numbers as in tiny/boot.s.
const SECTOR_BYTES = 512;
const DATA_LBA = 64;
const DATA_BYTES = 2 * 64 * SECTOR_BYTES;
const DISK_BYTES = 1 << 20;
const ASSEMBLE_TIMEOUT_MS = 30_000;

export interface TinyGuest {
	disk: string;
	/** JSON: `sum`, what the guest's command `r` prints, 8 hexadecimal digits. */
	facts: string;
}

/** The tiny guest's disk: boot.s assembled, and 64 KiB of data for it to sum up. */
export async function buildTinyGuest(cache: ContentCache): Promise<TinyGuest> {
	const source = sourcePath("tiny/boot.s");
	const inputs = { format: 1, source: await hashFile(source) };
	const dir = await cache.cached("tiny-guest", inputs, async (out) => {
		const object = join(out, "boot.o");
		const binary = join(out, "boot.bin");
		await runProgram(["as", "--32", "-o", object, source], { timeoutMs: ASSEMBLE_TIMEOUT_MS });
		const link = ["ld", "-m", "elf_i386", "-Ttext", "0x7c00", "--oformat", "binary", "-o", binary, object] as const;
		await runProgram(link, { timeoutMs: ASSEMBLE_TIMEOUT_MS });
		const data = pseudoRandomBytes(1, DATA_BYTES);
		const disk = Buffer.alloc(DISK_BYTES);
		(await readFile(binary)).copy(disk);
		data.copy(disk, DATA_LBA * SECTOR_BYTES);
		await writeFile(join(out, "tiny.img"), disk);
		await writeFile(join(out, "tiny.img.json"), `${JSON.stringify({ sum: sumOfWords(data) })}\n`);
	});
	return { disk: join(dir, "tiny.img"), facts: join(dir, "tiny.img.json") };
}

/** The sum of the little-endian 32-bit words, modulo 2^32, as 8 hexadecimal digits. */
export function sumOfWords(data: Buffer): string {
	let sum = 0;
	for (let at = 0; at < data.length; at += 4) sum = (sum + data.readUInt32LE(at)) >>> 0;
	return sum.toString(16).padStart(8, "0");
}
