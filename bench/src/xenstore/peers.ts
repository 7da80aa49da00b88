import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { DebianPackages } from "@bulkhead/image";
import { bundleForDom0 } from "../bundle-for-dom0.ts";
import { compileForXen } from "../compile-for-dom0.ts";
import type { BenchPlace } from "./bench-place.ts";

export const PEER_NAMES = ["bulkhead", "libxenstore", "pyxs"] as const;
export type PeerName = (typeof PEER_NAMES)[number];

/** Ours in one file, C's compiled, Python's as it stands. */
export const PEER_FILES: Readonly<Record<PeerName, string>> = {
	bulkhead: "peer.mjs",
	libxenstore: "peer",
	pyxs: "peer.py",
};

/** Makes the clients' programs in the folder. */
export async function buildPeers(debian: DebianPackages, folder: string): Promise<void> {
	const here = (name: string): string => join(import.meta.dirname, name);
	await compileForXen(debian, {
		source: here("peer.c"),
		target: join(folder, PEER_FILES.libxenstore),
		libraries: ["xenstore"],
	});
	await writeFile(join(folder, PEER_FILES.bulkhead), await bundleForDom0(here("bulkhead-peer.ts")));
	await copyFile(here("peer.py"), join(folder, PEER_FILES.pyxs));
}

export interface PeerPlaces {
	/** Of the clients' programs. */
	folder: string;
	/** A tree with Debian's Python and pyxs. */
	pythonTree: string;
	/** Xen's libraries, on a machine that has not got them. */
	xenLibraries?: string;
}

export function startPeers({ folder, pythonTree, xenLibraries }: PeerPlaces): BenchPlace["startPeer"] {
	const program = (name: PeerName): string => join(folder, PEER_FILES[name]);
	const libraries = xenLibraries === undefined ? [] : [`LD_LIBRARY_PATH=${xenLibraries}`];
	return {
		bulkhead: (socket, root) => ["node", program("bulkhead"), socket, root],
		libxenstore: (socket, root) => ["env", ...libraries, `XENSTORED_PATH=${socket}`, program("libxenstore"), root],
		pyxs: (socket, root) => [
			"env",
			`PYTHONHOME=${pythonTree}/usr`,
			`PYTHONPATH=${pythonTree}/usr/lib/python3/dist-packages`,
			`LD_LIBRARY_PATH=${pythonTree}/usr/lib/x86_64-linux-gnu`,
			`${pythonTree}/usr/bin/python3`,
			program("pyxs"),
			socket,
			root,
		],
	};
}

export function unpackPython(debian: DebianPackages): Promise<string> {
	return debian.unpack(["python3-minimal", "python3-pyxs"], { dependencies: true });
}

export async function peerVersions(debian: DebianPackages): Promise<Record<PeerName, string>> {
	const [library] = await debian.versions(["libxen-dev"]);
	const [pyxs] = await debian.versions(["python3-pyxs"]);
	return { bulkhead: `Node ${process.version}`, libxenstore: library?.version ?? "", pyxs: pyxs?.version ?? "" };
}
