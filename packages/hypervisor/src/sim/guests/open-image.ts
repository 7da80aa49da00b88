import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { errnoOf } from "@bulkhead/base";
import { SimFailure } from "../calls/sim-failure.ts";

/** Opens a file that a builder loads, and closes it when `use` is done. @throws SimFailure unless it is regular and not empty */
export async function openImage<T>(path: string, use: (file: FileHandle, bytes: number) => Promise<T>): Promise<T> {
	let file: FileHandle;
	try {
		file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
	} catch (error) {
		const errno = errnoOf(error) ?? "EIO";
		throw new SimFailure("open", errno, [`cannot open ${path}: ${errno}`]);
	}
	try {
		const stats = await file.stat();
		if (!stats.isFile() || stats.size === 0)
			throw new SimFailure("read", "EINVAL", [`${path} is ${stats.isFile() ? "empty" : "no regular file"}`]);
		return await use(file, stats.size);
	} finally {
		await file.close();
	}
}
