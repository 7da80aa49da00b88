import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { serializeError } from "@bulkhead/base";
import { dumpCore } from "@bulkhead/toolstack";
import type { Services } from "../services.ts";
import type { Guest } from "./guest.ts";
import { requireDomid } from "./power.ts";
import { stampOf } from "./preserve-renamed.ts";

/** Of the cores of all guests, as many of the newest are kept. */
const MOST_CORES = 8;
const CORE_FILE = /\.(\d{8}T\d{6}Z)\.core$/;

/** Writes a guest's core where somebody wants it. */
export function dumpGuest(guest: Guest, services: Services, path: string, signal?: AbortSignal): Promise<number> {
	return guest.operations.run(() => dumpCore(services.hypervisor.domains, requireDomid(guest), path, signal));
}

/**
 * Keeps the core of a guest that has ended, beside the last few others. What goes wrong is told and holds up nobody. The
 * caller holds the guest's `operations`.
 */
export async function keepCore(guest: Guest, services: Services): Promise<void> {
	const { directories, hypervisor, events, log } = services;
	const { dumps } = directories;
	try {
		await mkdir(dumps, { recursive: true, mode: 0o700 });
		await removeOldCores(dumps, MOST_CORES - 1);
		const path = join(dumps, coreName(guest.name, new Date()));
		const bytes = await dumpCore(hypervisor.domains, requireDomid(guest), path);
		log.info({ guest: guest.uuid, path, bytes }, "Dumped the core of a guest that ended");
		events.emit("core-dumped", { guest: guest.identity, path, bytes });
	} catch (error) {
		const { message } = serializeError(error);
		log.error({ guest: guest.uuid, error: serializeError(error) }, "Cannot dump the core of a guest that ended");
		events.emit("core-dumped", { guest: guest.identity, error: message });
	}
}

/** "web.20261126T161500Z.core" */
export function coreName(guest: string, at: Date): string {
	return `${guest.replace(/[^A-Za-z0-9_.-]/g, "_")}.${stampOf(at)}.core`;
}

async function removeOldCores(folder: string, kept: number): Promise<void> {
	const stampOf = (name: string): string => CORE_FILE.exec(name)?.[1] ?? "";
	const cores = (await readdir(folder)).filter((name) => CORE_FILE.test(name));
	cores.sort((a, b) => stampOf(b).localeCompare(stampOf(a)));
	for (const name of cores.slice(kept)) await rm(join(folder, name), { force: true });
}
