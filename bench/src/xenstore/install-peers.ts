import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DebianPackages, runProgram } from "@bulkhead/image";
import type { Lab } from "@bulkhead/lab";
import { bundleForDom0 } from "../bundle-for-dom0.ts";

const FOLDER = "/run/bulkhead-bench/xenstore";
const PYTHON_TREE = `${FOLDER}/python`;
const COMPILE_TIMEOUT_MS = 60_000;
const COPY_TIMEOUT_MS = 300_000;
/** What pyxs needs of Debian's Python. */
const PYTHON_FILES = ["usr/bin", "usr/lib/python3", "usr/lib/python3.*", "usr/lib/*/lib{expat,z,ssl,crypto,ffi}*"];

/** How each client is started in dom0, for a socket and a directory of its own in the store. */
export interface Peers {
	start: Record<PeerName, (socket: string, root: string) => string[]>;
	oxenstored: string[];
	versions: Record<PeerName, string>;
}

export const PEER_NAMES = ["bulkhead", "libxenstore", "pyxs"] as const;
export type PeerName = (typeof PEER_NAMES)[number];

/** Builds the clients' programs and puts them into dom0. */
export async function installPeers(lab: Lab, say: (line: string) => void): Promise<Peers> {
	const debian = await DebianPackages.open({ release: lab.describe().release, onProgress: say });
	const folder = await mkdtemp(join(tmpdir(), "bulkhead-bench-"));
	try {
		const here = (name: string): string => join(import.meta.dirname, name);
		const sysroot = await debian.unpack(["libxen-dev"], { dependencies: true });
		await runProgram(
			[
				"gcc",
				...["-O2", "-Wall", "-Werror", here("peer.c"), "-o", join(folder, "peer")],
				...["-I", join(sysroot, "usr/include"), "-L", join(sysroot, "usr/lib/x86_64-linux-gnu"), "-lxenstore"],
				`-Wl,-rpath-link,${join(sysroot, "usr/lib/x86_64-linux-gnu")}`,
			],
			{ timeoutMs: COMPILE_TIMEOUT_MS },
		);
		await writeFile(join(folder, "peer.mjs"), await bundleForDom0(here("bulkhead-peer.ts")));
		await writeFile(join(folder, "oxenstored.mjs"), await bundleForDom0(here("oxenstored-main.ts")));
		for (const name of ["peer", "peer.mjs", "oxenstored.mjs"]) await lab.put(join(folder, name), `${FOLDER}/${name}`);
		await lab.put(here("peer.py"), `${FOLDER}/peer.py`);
	} finally {
		await rm(folder, { recursive: true });
	}
	await installPython(lab, debian, say);
	const [library] = await debian.versions(["libxen-dev"]);
	const [pyxs] = await debian.versions(["python3-pyxs"]);
	return {
		start: {
			bulkhead: (socket, root) => ["node", `${FOLDER}/peer.mjs`, socket, root],
			libxenstore: (socket, root) => ["env", `XENSTORED_PATH=${socket}`, `${FOLDER}/peer`, root],
			pyxs: (socket, root) => [
				"env",
				`PYTHONHOME=${PYTHON_TREE}/usr`,
				`PYTHONPATH=${PYTHON_TREE}/usr/lib/python3/dist-packages`,
				`LD_LIBRARY_PATH=${PYTHON_TREE}/usr/lib/x86_64-linux-gnu`,
				`${PYTHON_TREE}/usr/bin/python3`,
				`${FOLDER}/peer.py`,
				socket,
				root,
			],
		},
		oxenstored: ["node", `${FOLDER}/oxenstored.mjs`],
		versions: {
			bulkhead: `Node ${process.version}`,
			libxenstore: library?.version ?? "",
			pyxs: pyxs?.version ?? "",
		},
	};
}

async function installPython(lab: Lab, debian: DebianPackages, say: (line: string) => void): Promise<void> {
	say("bringing Python into dom0");
	const tree = await debian.unpack(["python3-minimal", "python3-pyxs"], { dependencies: true });
	const files = PYTHON_FILES.join(" ");
	const { stdout } = await runProgram(["bash", "-c", `shopt -s nullglob; tar -c --exclude __pycache__ ${files}`], {
		cwd: tree,
		timeoutMs: COPY_TIMEOUT_MS,
	});
	await lab.run(["sh", "-c", 'mkdir -p "$1" && tar -x -C "$1"', "unpack", PYTHON_TREE], {
		stdin: stdout,
		timeoutMs: COPY_TIMEOUT_MS,
	});
}

/** Takes everything out of dom0 again. */
export async function removePeers(lab: Lab): Promise<void> {
	await lab.exec(["rm", "-rf", FOLDER]);
}
