import { constants } from "node:fs";
import { type FileHandle, open, rm, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { CancelledError, type DomId, errnoOf, InvalidInputError } from "@bulkhead/base";
import type { DomainInfo, Domains } from "@bulkhead/hypervisor";
import { DumpError } from "../errors.ts";

/** Beside the memory: a table of 16 bytes for each page of 4096, registers, headers. */
const TABLE_SHARE = 256;
const OVERHEAD_BYTES = 1 << 20;
/** What a dump leaves free for everybody else. */
const MARGIN_BYTES = 64 * 1024 * 1024;

/** How large a domain's core becomes, at most. */
export function coreBytes({ totalKiB }: Pick<DomainInfo, "totalKiB">): number {
	const memory = totalKiB * 1024;
	return memory + memory / TABLE_SHARE + OVERHEAD_BYTES;
}

/**
 * Writes a domain's memory and processors to a new file that root alone may read, as an ELF core. A domain that runs is
 * paused meanwhile. When it fails, there is no file. @returns its size
 * @throws DumpError (no space, no such folder), InvalidInputError `file-exists`, HypervisorError, CancelledError
 */
export async function dumpCore(domains: Domains, domid: DomId, path: string, signal?: AbortSignal): Promise<number> {
	const info = await domains.find(domid);
	if (!info || info.dying) throw new DumpError(`Domain ${domid} is gone: there is nothing to dump`);
	await checkSpace(path, coreBytes(info));
	if (signal?.aborted) throw new CancelledError("Stopped before the core was dumped", { cause: signal.reason });
	const file = await openNew(path);
	try {
		await writeCore(domains, info, file.fd);
		await file.sync();
		return (await file.stat()).size;
	} catch (error) {
		await rm(path, { force: true });
		throw error;
	} finally {
		await file.close();
	}
}

async function writeCore(domains: Domains, { domid, shutdown }: DomainInfo, fd: number): Promise<void> {
	if (shutdown) return domains.dumpCore(domid, fd);
	await domains.pause(domid);
	try {
		await domains.dumpCore(domid, fd);
	} finally {
		await domains.unpause(domid);
	}
}

async function openNew(path: string): Promise<FileHandle> {
	const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
	try {
		return await open(path, flags, 0o600);
	} catch (cause) {
		if (errnoOf(cause) === "EEXIST")
			throw new InvalidInputError(
				`The file ${JSON.stringify(path)} exists`,
				{ remedy: "Name another file", cause },
				"file-exists",
			);
		throw new DumpError(`The file ${JSON.stringify(path)} cannot be made (${errnoOf(cause) ?? "unknown"})`, { cause });
	}
}

async function checkSpace(path: string, neededBytes: number): Promise<void> {
	const folder = dirname(path);
	const facts = await statfs(folder).catch((cause: unknown) => {
		throw new DumpError(`There is no folder ${JSON.stringify(folder)} for a core`, {
			cause,
			remedy: "Make it, or name another file",
		});
	});
	const freeBytes = facts.bavail * facts.bsize;
	// A file system of memory without a limit has no blocks.
	if (facts.blocks === 0 || freeBytes >= neededBytes + MARGIN_BYTES) return;
	throw new DumpError(
		`A core of ${toMiB(neededBytes)} MiB does not fit: ${JSON.stringify(folder)} has ${toMiB(freeBytes)} MiB free`,
		{ remedy: "Make room, or name a file on another disk", fields: { neededBytes, freeBytes, folder } },
	);
}

const toMiB = (bytes: number): number => Math.round(bytes / (1 << 20));
