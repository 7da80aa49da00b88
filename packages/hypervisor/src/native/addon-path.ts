import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { HypervisorError } from "../errors.ts";

export const INSTALLED_NATIVE_DIR = "/usr/lib/bulkhead/native";
export type AddonName = "xenrings" | "xenctrl";

export interface AddonPlaces {
	env?: Record<string, string | undefined>;
	/** This module's own file, to find a source checkout. */
	moduleFile?: string;
	exists?: (path: string) => boolean;
}

/**
 * The folders that may hold the addons, best first: $BULKHEAD_NATIVE_DIR alone when set; otherwise the installed
 * folder, then this package's own build folder, which exists in a source checkout only (a bundle has another path).
 */
export function addonFolders({ env = process.env, moduleFile = ownFile() }: AddonPlaces = {}): string[] {
	if (env.BULKHEAD_NATIVE_DIR) return [resolve(env.BULKHEAD_NATIVE_DIR)];
	const checkout = /^(.*\/packages\/hypervisor)\/(?:src|dist)\/native\/[^/]+$/.exec(moduleFile)?.[1];
	return checkout ? [INSTALLED_NATIVE_DIR, join(checkout, "build")] : [INSTALLED_NATIVE_DIR];
}

/** @throws HypervisorError when no folder has it */
export function addonPath(name: AddonName, places: AddonPlaces = {}): string {
	const exists = places.exists ?? existsSync;
	const candidates = addonFolders(places).map((folder) => join(folder, `${name}.node`));
	const found = candidates.find(exists);
	if (found) return found;
	throw new HypervisorError(`The native addon ${name}.node is not installed`, {
		errno: "ENOENT",
		fields: { looked: candidates.map(dirname) },
		remedy: "Build it with buildNative of @bulkhead/hypervisor/build, or set BULKHEAD_NATIVE_DIR to its folder",
	});
}

function ownFile(): string {
	return fileURLToPath(import.meta.url);
}
