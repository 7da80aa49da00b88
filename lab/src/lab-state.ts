import { readFile, rename, writeFile } from "node:fs/promises";
import type { LabPaths } from "./lab-paths.ts";
import { isSameProcess, type ProcessIdentity } from "./process-identity.ts";

/** Xen's two: in C, and in OCaml (XCP-ng's). */
export const XENSTOREDS = ["xenstored", "oxenstored"] as const;
export type XenstoredName = (typeof XENSTOREDS)[number];

/** Versions a report names. */
export interface LabDescription {
	release: string;
	xen: string;
	xenstored: XenstoredName;
	kernel: string;
	/** The QEMU in dom0 (and so of Debian's device models). */
	qemu: string;
	/** The QEMU that emulates the machine itself. */
	emulator: string;
	node: string;
	accel: "tcg" | "kvm";
}

/** What `lab.json` says of the machine that runs. */
export interface LabState {
	machine: ProcessIdentity;
	sshPort: number;
	/** False from QEMU's start until ssh answers. */
	ready: boolean;
	startedAt: string;
	bootSeconds?: number;
	description: LabDescription;
	/** sha256 of each overlay file by its path in dom0, as last installed. */
	installed: Record<string, string>;
}

export async function writeLabState(paths: LabPaths, state: LabState): Promise<void> {
	const temporary = `${paths.state}.new`;
	await writeFile(temporary, `${JSON.stringify(state, undefined, "\t")}\n`);
	await rename(temporary, paths.state);
}

/** The state of a lab whose QEMU lives. A file left by a dead one counts as nothing. */
export async function findLiveState(paths: LabPaths): Promise<LabState | undefined> {
	const text = await readFile(paths.state, "utf8").catch(() => undefined);
	if (text === undefined) return undefined;
	let state: LabState;
	try {
		state = JSON.parse(text) as LabState;
	} catch {
		return undefined;
	}
	if (!Number.isInteger(state.machine?.pid)) return undefined;
	return (await isSameProcess(state.machine)) ? state : undefined;
}
