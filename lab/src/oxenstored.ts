import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withDeadline } from "@bulkhead/base";

const START_TIMEOUT_MS = 20_000;
const POLL_MS = 50;

/**
 * For programs in dom0: Debian's oxenstored beside the host's own xenstored, in a mount namespace where its socket's
 * folder is its own. Xen gives VIRQ_DOM_EXC to one of them only, so this one starts as a restarted oxenstored does: with
 * a dump that names descriptors it already has, its listening socket's and that of /dev/xen/evtchn. It serves sockets
 * and no domains.
 */
export class Oxenstored {
	readonly #child: ChildProcess;
	readonly #folder: string;

	private constructor(child: ChildProcess, folder: string) {
		this.#child = child;
		this.#folder = folder;
	}

	static async start(): Promise<Oxenstored> {
		const folder = await mkdtemp(join(tmpdir(), "oxenstored-"));
		// The number of its socket depends on its libraries: learned from a first start, which then does not listen.
		const learning = await Oxenstored.#launch(folder, 0);
		const socketFd = await learning.#findSocketFd();
		await learning.kill();
		const server = await Oxenstored.#launch(folder, socketFd);
		(await server.connect()).destroy();
		return server;
	}

	static async #launch(folder: string, socketFd: number): Promise<Oxenstored> {
		await writeFile(join(folder, "oxenstored.conf"), `pid-file = ${folder}/pid\n`);
		const script = `
mount -t tmpfs tmpfs /run/xenstored || exit 1
printf '%s\\n' '$xenstored-dump-format' 'global,${socketFd}' 'evtchn-dev,9,0' >/run/xenstored/db
exec 9<>/dev/xen/evtchn
exec "$(echo /usr/lib/xen-*/bin/oxenstored)" --no-domain-init --no-fork --no-access-log --restart --config-file "$1/oxenstored.conf"
`;
		const child = spawn("unshare", ["-m", "sh", "-c", script, "oxenstored", folder], { stdio: "ignore" });
		await once(child, "spawn");
		return new Oxenstored(child, folder);
	}

	/** Of the server's socket, as this namespace sees it. */
	get path(): string {
		return `/proc/${this.#child.pid}/root/run/xenstored/socket`;
	}

	/** A connection to it; waits until it listens. */
	async connect(): Promise<Socket> {
		return withDeadline(this.#connect(), { timeoutMs: START_TIMEOUT_MS, what: "oxenstored" });
	}

	/** As if it had crashed. */
	async kill(): Promise<void> {
		if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
		const ended = once(this.#child, "exit");
		this.#child.kill("SIGKILL");
		await ended;
	}

	async close(): Promise<void> {
		await this.kill();
		await rm(this.#folder, { recursive: true, force: true });
	}

	async #connect(): Promise<Socket> {
		for (;;) {
			if (this.#child.exitCode !== null) throw new Error(`oxenstored ended with ${this.#child.exitCode}`);
			if (!(await this.#isItself())) {
				await pause();
				continue;
			}
			const socket = connect(this.path);
			const [event] = await Promise.race([
				once(socket, "connect").then(() => ["connect"]),
				once(socket, "close").then(() => ["close"]),
			]).catch(() => ["close"]);
			if (event === "connect") return socket;
			socket.destroy();
			await pause();
		}
	}

	/** Until the shell has become the server, the path may still lead to the host's own xenstored. */
	async #isItself(): Promise<boolean> {
		return (await readFile(`/proc/${this.#child.pid}/comm`, "utf8").catch(() => "")) === "oxenstored\n";
	}

	async #findSocketFd(): Promise<number> {
		const limit = performance.now() + START_TIMEOUT_MS;
		while (performance.now() < limit) {
			if (!(await this.#isItself())) {
				await pause();
				continue;
			}
			const folder = `/proc/${this.#child.pid}/fd`;
			for (const fd of await readdir(folder).catch(() => [])) {
				const target = await readlink(`${folder}/${fd}`).catch(() => "");
				if (target.startsWith("socket:")) return Number(fd);
			}
			await pause();
		}
		throw new Error("oxenstored opened no socket");
	}
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, POLL_MS));
