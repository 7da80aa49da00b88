import { readFile, rm } from "node:fs/promises";
import { type CpioEntry, DebianPackages, writeCpioArchive } from "@bulkhead/image";
import { awaitToolstack } from "./await-toolstack.ts";
import { fetchHostPackages } from "./host-packages.ts";
import type { Lab } from "./lab.ts";
import { writeLabState } from "./lab-state.ts";
import { digestEntries, projectEntries } from "./project-overlay.ts";

const INSTALL_TIMEOUT_MS = 120_000;

/** Brings what changed in the project into a running dom0 and restarts the services until they answer. @returns paths that changed */
export async function pushProject(
	lab: Lab,
	onProgress: (line: string) => void,
	onBroken?: (part: string, error: unknown) => void,
): Promise<string[]> {
	const { release } = lab.describe();
	const debian = await DebianPackages.open({ release, onProgress });
	const { sysroot } = await fetchHostPackages(debian);
	const entries = await projectEntries({ release, sysroot, onProgress, onBroken });
	const digests = await digestEntries(entries);
	const changed = entries.filter(
		({ path, type }) => type !== "directory" && digests[path] !== lab.state.installed[path],
	);
	if (changed.length === 0) {
		onProgress("nothing changed");
		return [];
	}
	onProgress(`installing ${changed.map(({ path }) => path).join(", ")}`);
	await install(lab, changed);
	await writeLabState(lab.paths, { ...lab.state, installed: { ...lab.state.installed, ...digests } });
	const services = changed.some(({ path }) => path.startsWith("/usr/lib/bulkhead/native/"))
		? "/etc/service/*"
		: [
				...new Set(
					changed.flatMap(
						({ path }) => path.match(/^\/usr\/lib\/bulkhead\/(bulkheadd|bulkhead-relay)\.mjs$/)?.[1] ?? [],
					),
				),
			]
				.map((name) => `/etc/service/${name}`)
				.join(" ");
	if (services !== "") {
		onProgress(`restarting ${services}`);
		await lab.run(["sh", "-c", `for each in ${services}; do [ ! -d "$each/supervise" ] || sv restart "$each"; done`]);
		await awaitToolstack(lab);
	}
	return changed.map(({ path }) => path);
}

async function install(lab: Lab, entries: readonly CpioEntry[]): Promise<void> {
	const archive = `${lab.paths.overlay}.push`;
	try {
		await writeCpioArchive(entries, archive);
		// `-u` unlinks first: a program that runs keeps its old file. busybox's cpio knows no `-D`.
		await lab.run(["sh", "-c", "cd / && exec cpio -i -d -u"], {
			stdin: await readFile(archive),
			timeoutMs: INSTALL_TIMEOUT_MS,
		});
	} finally {
		await rm(archive, { force: true });
	}
}
