import { constants } from "node:fs";
import { type FileHandle, mkdir, open, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { printable } from "@bulkhead/base";

/** libxl keeps as many old logs. */
const OLD_LOGS = 10;
const TAIL_BYTES = 2048;

/** A new log, the older ones pushed on: .1 is the youngest. */
export async function openLog(path: string): Promise<FileHandle> {
	await mkdir(dirname(path), { recursive: true, mode: 0o750 });
	for (let at = OLD_LOGS - 1; at >= 0; at--) {
		const from = at === 0 ? path : `${path}.${at}`;
		await rename(from, `${path}.${at + 1}`).catch(() => {});
	}
	return open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_APPEND, 0o640);
}

/** The last lines of a log, made safe for people to read: QEMU writes what its guest makes it write. */
export async function tailOfLog(path: string): Promise<string[]> {
	let file: FileHandle;
	try {
		file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
	} catch {
		return [];
	}
	try {
		const { size } = await file.stat();
		const { buffer, bytesRead } = await file.read(
			Buffer.alloc(TAIL_BYTES),
			0,
			TAIL_BYTES,
			Math.max(0, size - TAIL_BYTES),
		);
		const lines = buffer.subarray(0, bytesRead).toString("latin1").split(/\r?\n/);
		return lines.map((line) => printable(line, 200)).filter((line) => line !== "");
	} finally {
		await file.close();
	}
}
