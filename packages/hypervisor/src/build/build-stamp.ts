import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { NativeBuildPlaces, NativeBuildPlan } from "./plan-native-build.ts";

/** In the result's folder: what the addons there were made from. */
const STAMP = "native-build.sha256";

/**
 * A digest of everything that decides the result: sources, compiler and its calls, Xen's headers (their text carries
 * the version), node-addon-api. Folders that only hold intermediate files do not count.
 */
export async function buildStamp(places: NativeBuildPlaces, plan: NativeBuildPlan, compiler: string): Promise<string> {
	const hash = createHash("sha256");
	const add = (label: string, value: string | Uint8Array): void => {
		hash.update(`${label}\0${value.length}\0`).update(value);
	};
	const calls = JSON.stringify([...plan.compile, ...plan.link].map(({ args }) => args));
	add("compiler", compiler);
	add("calls", calls.replaceAll(places.objectDir, "").replaceAll(places.outDir, ""));
	for (const name of (await readdir(places.sourceDir)).sort()) add(name, await readFile(join(places.sourceDir, name)));
	add("napi", await readFile(join(places.addonApiHeaders, "package.json")));
	const include = join(places.sysroot ?? "/", "usr/include");
	for (const folder of [include, join(include, "xen")])
		for (const name of (await readdir(folder).catch(() => [])).filter(isXenHeader(folder)).sort())
			add(name, await readFile(join(folder, name)));
	return hash.digest("hex");
}

/** Whether the folder holds addons made from the same. */
export async function hasStamp(outDir: string, stamp: string): Promise<boolean> {
	return (await readFile(join(outDir, STAMP), "utf8").catch(() => "")) === stamp;
}

export async function writeStamp(outDir: string, stamp: string): Promise<void> {
	await writeFile(join(outDir, STAMP), stamp);
}

function isXenHeader(folder: string): (name: string) => boolean {
	return (name) => name.endsWith(".h") && (folder.endsWith("/xen") || name.startsWith("xen"));
}
