import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DebianPackages, runProgram } from "@bulkhead/image";
import type { Lab } from "@bulkhead/lab";
import { bundleIntoDom0 } from "../bundle-into-dom0.ts";
import { LineProgram } from "../line-program.ts";
import type { BenchPlace } from "./bench-place.ts";
import { buildPeers, PEER_FILES, peerVersions, startPeers, unpackPython } from "./peers.ts";

const FOLDER = "/run/bulkhead-bench/xenstore";
const PYTHON_TREE = `${FOLDER}/python`;
const OXENSTORED = "oxenstored.mjs";
const XENSTORED_SOCKET = "/run/xenstored/socket";
const COPY_TIMEOUT_MS = 300_000;
/** What pyxs needs of Debian's Python. */
const PYTHON_FILES = ["usr/bin", "usr/lib/python3", "usr/lib/python3.*", "usr/lib/*/lib{expat,z,ssl,crypto,ffi}*"];

/** Real xenstoreds of a real Xen host, in the lab's dom0. */
export async function openDom0(lab: Lab, say: (line: string) => void): Promise<BenchPlace> {
	const { release, xen, kernel } = lab.describe();
	const debian = await DebianPackages.open({ release, onProgress: say });
	const close = async (): Promise<void> => void (await lab.exec(["rm", "-rf", FOLDER]));
	try {
		await installPrograms(lab, debian);
		await installPython(lab, debian, say);
		return {
			description: [
				`Debian ${release}, Xen ${xen}, Linux ${kernel},`,
				"emulated by QEMU without KVM, servers, clients and kernel on its 2 processors.",
			],
			haste: 1,
			versions: await peerVersions(debian),
			startPeer: startPeers({ folder: FOLDER, pythonTree: PYTHON_TREE }),
			spawn: (argv) => lab.spawn(argv),
			withServer: async (server, act) => {
				if (server === "xenstored") return act(XENSTORED_SOCKET);
				const program = LineProgram.start(lab, server, ["node", `${FOLDER}/${OXENSTORED}`]);
				try {
					return await act(await program.next());
				} finally {
					await program.close();
				}
			},
			close,
		};
	} catch (error) {
		await close();
		throw error;
	}
}

async function installPrograms(lab: Lab, debian: DebianPackages): Promise<void> {
	const folder = await mkdtemp(join(tmpdir(), "bulkhead-bench-"));
	try {
		await buildPeers(debian, folder);
		for (const name of Object.values(PEER_FILES)) await lab.put(join(folder, name), `${FOLDER}/${name}`);
	} finally {
		await rm(folder, { recursive: true });
	}
	await bundleIntoDom0(lab, join(import.meta.dirname, "oxenstored-main.ts"), `${FOLDER}/${OXENSTORED}`);
}

async function installPython(lab: Lab, debian: DebianPackages, say: (line: string) => void): Promise<void> {
	say("bringing Python into dom0");
	const files = PYTHON_FILES.join(" ");
	const { stdout } = await runProgram(["bash", "-c", `shopt -s nullglob; tar -c --exclude __pycache__ ${files}`], {
		cwd: await unpackPython(debian),
		timeoutMs: COPY_TIMEOUT_MS,
	});
	await lab.run(["sh", "-c", 'mkdir -p "$1" && tar -x -C "$1"', "unpack", PYTHON_TREE], {
		stdin: stdout,
		timeoutMs: COPY_TIMEOUT_MS,
	});
}
