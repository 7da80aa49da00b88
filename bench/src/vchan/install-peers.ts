import { join } from "node:path";
import type { Lab } from "@bulkhead/lab";
import { bundleIntoDom0 } from "../bundle-into-dom0.ts";
import { compileForDom0 } from "../compile-for-dom0.ts";
import type { End } from "./pairs.ts";

export const FOLDER: string = "/run/bulkhead-bench/vchan";
/** libxenvchan cuts the paths of its nodes at 64 bytes. */
export const NODES: string = "/bulkhead-bench-vchan";

/** How each end's program is started. */
export const START: Record<End, readonly string[]> = {
	c: [`${FOLDER}/peer`],
	bulkhead: ["node", `${FOLDER}/peer.mjs`],
};

export async function installPeers(lab: Lab): Promise<void> {
	const here = (name: string): string => join(import.meta.dirname, name);
	await compileForDom0(lab, { source: here("peer.c"), target: `${FOLDER}/peer`, libraries: ["xenvchan"] });
	await bundleIntoDom0(lab, here("bulkhead-peer.ts"), `${FOLDER}/peer.mjs`);
}

/** Ends what still runs of them and takes everything out of dom0 again. */
export async function removePeers(lab: Lab): Promise<void> {
	// The brackets keep pkill from finding the shell that runs it.
	await lab.exec(["pkill", "-f", `[/]${FOLDER.slice(1)}/peer`]);
	await lab.exec(["rm", "-rf", FOLDER]);
	await lab.exec(["xenstore-rm", NODES]);
}
