import { createReadStream } from "node:fs";
import { type FileHandle, open, rm, stat } from "node:fs/promises";
import { BulkheadError, InvalidInputError } from "@bulkhead/base";
import { CPIO_TRAILER, encodeCpioHeader, paddingTo } from "./cpio.ts";
import { archivePath, type CpioEntry, missingParents } from "./cpio-entry.ts";

const TYPE_BITS = {
	directory: 0o040000,
	file: 0o100000,
	symlink: 0o120000,
	"character-device": 0o020000,
	"block-device": 0o060000,
} as const satisfies Record<CpioEntry["type"], number>;

/** GNU cpio's default block; Linux skips the zeros between concatenated archives. */
const ARCHIVE_BLOCK_BYTES = 512;

/**
 * Writes a newc archive: members sorted by path, missing folders added, nothing of the machine's (time, owner, inode)
 * in it, so the same entries give the same bytes.
 * @throws InvalidInputError when two entries claim one path; BulkheadError `file-changed` when a file shrinks or grows
 * while it is copied
 */
export async function writeCpioArchive(entries: readonly CpioEntry[], outPath: string): Promise<void> {
	const members = [...entries, ...missingParents(entries)]
		.map((entry) => ({ ...entry, path: archivePath(entry.path) }))
		.sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
	members.forEach(({ path }, at) => {
		if (path === members[at - 1]?.path)
			throw new InvalidInputError(`Two archive entries claim /${path}`, { fields: { path } });
	});
	const out = await open(outPath, "w");
	let complete = false;
	try {
		let written = 0;
		for (const [at, member] of members.entries()) written += await writeMember(out, member, at + 1);
		const trailer = encodeCpioHeader({ inode: 0, mode: 0, links: 1, sizeBytes: 0, path: CPIO_TRAILER });
		await writeAll(out, trailer);
		await writeAll(out, Buffer.alloc(paddingTo(ARCHIVE_BLOCK_BYTES, written + trailer.length)));
		complete = true;
	} finally {
		await out.close();
		if (!complete) await rm(outPath, { force: true });
	}
}

async function writeMember(out: FileHandle, entry: CpioEntry, inode: number): Promise<number> {
	const permissions =
		entry.type === "symlink" ? 0o777 : (entry.mode ?? (entry.type === "directory" ? 0o755 : 0o644)) & 0o7777;
	const source = entry.type === "file" && isFile(entry.content) ? entry.content.file : undefined;
	const bytes = bytesOf(entry);
	const sizeBytes = source === undefined ? bytes.length : (await stat(source)).size;
	const device = entry.type === "character-device" || entry.type === "block-device";
	const header = encodeCpioHeader({
		inode,
		mode: TYPE_BITS[entry.type] | permissions,
		links: entry.type === "directory" ? 2 : 1,
		sizeBytes,
		path: entry.path,
		...(device ? { rdevMajor: entry.major, rdevMinor: entry.minor } : {}),
	});
	await writeAll(out, header);
	if (source === undefined) await writeAll(out, bytes);
	else await copyFile(out, source, sizeBytes);
	const padding = paddingTo(4, sizeBytes);
	await writeAll(out, Buffer.alloc(padding));
	return header.length + sizeBytes + padding;
}

async function copyFile(out: FileHandle, source: string, sizeBytes: number): Promise<void> {
	let copied = 0;
	for await (const chunk of createReadStream(source, { highWaterMark: 1 << 20 })) {
		copied += (chunk as Buffer).length;
		if (copied > sizeBytes) break;
		await writeAll(out, chunk as Buffer);
	}
	if (copied !== sizeBytes) {
		throw new BulkheadError("file-changed", `${source} changed while it was copied into an archive`, {
			fields: { source },
		});
	}
}

function bytesOf(entry: CpioEntry): Uint8Array {
	if (entry.type === "symlink") return Buffer.from(entry.target, "utf8");
	if (entry.type !== "file" || isFile(entry.content)) return Buffer.alloc(0);
	return typeof entry.content === "string" ? Buffer.from(entry.content, "utf8") : entry.content;
}

function isFile(content: Uint8Array | string | { readonly file: string }): content is { readonly file: string } {
	return typeof content === "object" && "file" in content;
}

async function writeAll(out: FileHandle, bytes: Uint8Array): Promise<void> {
	for (let at = 0; at < bytes.length; ) at += (await out.write(bytes, at)).bytesWritten;
}
