import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { BulkheadError, delay, withDeadline } from "@bulkhead/base";
import { DebianPackages, machineRelease, runProgram } from "@bulkhead/image";
import { XenstoreClient } from "@bulkhead/xenstore";
import type { BenchPlace, Server } from "./bench-place.ts";
import { buildPeers, peerVersions, startPeers, unpackPython } from "./peers.ts";

const TIMEOUT_MS = 60_000;
const POLL_MS = 20;
/** Without an emulator between them and the processor all is so much faster. */
const HASTE = 10;
/** In a mount namespace of its own, with the files that dom0's kernel has for a xenstored: server, stand-in, arguments. */
const SCRIPT = `
set -e
for each in /run /var/log /var/lib /proc; do mount -t tmpfs tmpfs $each; done
mkdir -p /run/xenstored /run/xen /run/lock /var/log/xen /var/lib/xenstored /proc/xen
echo 1 >/proc/xen/xsd_port
head -c 4096 /dev/zero >/proc/xen/xsd_kva
echo "pid-file = /run/pid" >/run/oxenstored.conf
server=$1 preload=$2
shift 2
LD_PRELOAD=$preload exec "$server" "$@"
`;
const ARGUMENTS: Record<Server, readonly string[]> = {
	xenstored: ["--no-fork", "--internal-db"],
	oxenstored: ["--no-fork", "--no-domain-init", "--no-access-log", "--config-file", "/run/oxenstored.conf"],
};

/** The same xenstoreds and clients on this machine's own processor, Xen's part in them left empty (no-xen.c). */
export async function openThisMachine(say: (line: string) => void): Promise<BenchPlace> {
	const release = await machineRelease();
	const debian = await DebianPackages.open({ release, onProgress: say });
	const folder = await mkdtemp(join(tmpdir(), "bulkhead-bench-"));
	const close = (): Promise<void> => rm(folder, { recursive: true, force: true });
	try {
		await buildPeers(debian, folder);
		const standIn = join(folder, "no-xen.so");
		const source = join(import.meta.dirname, "no-xen.c");
		await runProgram(["gcc", "-O2", "-Wall", "-Werror", "-shared", "-fPIC", source, "-o", standIn], {
			timeoutMs: TIMEOUT_MS,
		});
		const xenLibraries = join(await debian.unpack(["libxen-dev"], { dependencies: true }), "usr/lib/x86_64-linux-gnu");
		const { folder: servers, version } = await findServers(debian);
		return {
			description: [
				`Debian ${release}'s xenstoreds ${version} without Xen, on this machine's ${cpus().length} processors.`,
			],
			haste: HASTE,
			versions: await peerVersions(debian),
			startPeer: startPeers({ folder, pythonTree: await unpackPython(debian), xenLibraries }),
			spawn: ([program = "", ...args]) => spawn(program, args, { stdio: "pipe" }),
			withServer: async (server, act) => {
				const argv = ["-m", "sh", "-c", SCRIPT, "sh", join(servers, server), standIn, ...ARGUMENTS[server]];
				const child = spawn("unshare", process.getuid?.() === 0 ? argv : ["-r", ...argv], {
					env: { ...process.env, LD_LIBRARY_PATH: xenLibraries },
					stdio: ["ignore", "ignore", "inherit"],
				});
				try {
					return await act(await awaitSocket(child, server));
				} finally {
					const ended = child.exitCode === null && child.signalCode === null && once(child, "exit");
					child.kill("SIGKILL");
					await ended;
				}
			},
			close,
		};
	} catch (error) {
		await close();
		throw error;
	}
}

async function findServers(debian: DebianPackages): Promise<{ folder: string; version: string }> {
	const all = await debian.versions(["xen-system-amd64"], { dependencies: true });
	const utils = all.find(({ name }) => /^xen-utils-\d/.test(name));
	if (!utils) throw new BulkheadError("package-not-found", "Debian's xen-system-amd64 brings no xen-utils");
	const tree = await debian.unpack([utils.name]);
	return { folder: join(tree, "usr/lib", utils.name.replace("-utils", ""), "bin"), version: utils.version };
}

/** @returns the server's socket, as this namespace sees it */
async function awaitSocket(child: ChildProcess, server: Server): Promise<string> {
	const path = `/proc/${child.pid}/root/run/xenstored/socket`;
	const listens = async (): Promise<void> => {
		while (!((await isItself(child, server)) && (await answers(path)))) {
			if (child.exitCode !== null || child.signalCode !== null)
				throw new BulkheadError("bench-program-ended", `${server} has ended`);
			await delay(POLL_MS);
		}
	};
	await withDeadline(listens(), { timeoutMs: TIMEOUT_MS, what: server });
	return path;
}

/** Before the shell has become the server, the path may lead to another's socket. */
async function isItself({ pid }: ChildProcess, server: Server): Promise<boolean> {
	return (await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "")) === `${server}\n`;
}

async function answers(path: string): Promise<boolean> {
	try {
		(await XenstoreClient.connect({ path })).close();
		return true;
	} catch {
		return false;
	}
}
