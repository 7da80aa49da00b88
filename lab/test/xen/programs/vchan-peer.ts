import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DOM0, evtchnPort, grantRef, withDeadline } from "@bulkhead/base";
import type { RingHost } from "@bulkhead/hypervisor";
import { openVchanClient, type VchanClient } from "@bulkhead/vchan";
import { XenstoreClient } from "@bulkhead/xenstore";
import { forgetTestNode, TEST_NODES } from "./test-nodes.ts";

/** vchan-socket-proxy truncates the path of its nodes above 64 bytes. */
const ROOT = `${TEST_NODES}/vchan`;
const READY_TIMEOUT_MS = 20_000;

/**
 * libxenvchan's own server (Xen's vchan-socket-proxy) in domain 0, for domain 0, before a Unix socket: each session of
 * the vchan becomes a connection to that socket.
 */
export class VchanPeer {
	readonly socketPath: string;
	readonly #folder: string;
	readonly #path: string;
	readonly #store: XenstoreClient;
	#proxy: ChildProcess | undefined;
	#listener: Server | undefined;
	#client: VchanClient | undefined;

	private constructor(folder: string, store: XenstoreClient, pid: number) {
		this.#folder = folder;
		this.socketPath = join(folder, "socket");
		this.#path = `${ROOT}-${pid}`;
		this.#store = store;
	}

	/** Of another process, by its pid: only to `open` what that one has started. */
	static async prepare(pid: number = process.pid): Promise<VchanPeer> {
		return new VchanPeer(await mkdtemp(join(tmpdir(), "vchan-peer-")), await XenstoreClient.connect(), pid);
	}

	/** Serves the socket by a function; otherwise somebody else has to listen there before `start`. */
	async listen(onSession: (socket: Socket) => void): Promise<void> {
		const listener = createServer((socket) => {
			socket.on("error", () => {});
			onSession(socket);
		});
		listener.listen(this.socketPath);
		await once(listener, "listening");
		this.#listener = listener;
	}

	async start(): Promise<void> {
		const args = ["--mode=server", `${DOM0}`, this.#path, this.socketPath];
		this.#proxy = spawn("vchan-socket-proxy", args, { stdio: "ignore" });
		await once(this.#proxy, "spawn");
		await this.#store.waitFor(`${this.#path}/event-channel`, (port) => port !== undefined, {
			timeoutMs: READY_TIMEOUT_MS,
			what: "the C server of the vchan",
		});
	}

	/**
	 * Opens and waits until the server has noticed. Bytes that are written before that are lost sight of by Xen 4.17's
	 * proxy when their event and the connection's become one: it takes the event, connects to its socket and sleeps
	 * without a look at the ring.
	 */
	async openSession(host: RingHost): Promise<VchanClient> {
		if (!this.#listener) throw new TypeError("Nobody listens");
		const noticed = once(this.#listener, "connection");
		const client = await this.open(host);
		await withDeadline(noticed, { timeoutMs: READY_TIMEOUT_MS, what: "the session at the server's socket" });
		return client;
	}

	async open({ grants, evtchns }: RingHost): Promise<VchanClient> {
		const [ref, port] = await Promise.all([
			this.#store.readText(`${this.#path}/ring-ref`),
			this.#store.readText(`${this.#path}/event-channel`),
		]);
		this.#client = openVchanClient({
			grants,
			evtchns,
			domid: DOM0,
			ringRef: grantRef(ref),
			remotePort: evtchnPort(port),
		});
		return this.#client;
	}

	/** How far the latest client came, for the report of a failure. */
	describe(): Record<string, unknown> {
		const client = this.#client;
		if (!client) return { client: "none" };
		const { readableFlowing, readableLength, writableLength, destroyed, isPeerOpen } = client;
		return { ...client.stats, readableFlowing, readableLength, writableLength, destroyed, isPeerOpen };
	}

	async kill(): Promise<void> {
		const proxy = this.#proxy;
		this.#proxy = undefined;
		if (!proxy || proxy.exitCode !== null || proxy.signalCode !== null) return;
		proxy.kill("SIGKILL");
		await once(proxy, "exit");
	}

	async close(): Promise<void> {
		await this.kill();
		this.#listener?.close();
		await forgetTestNode(this.#store, this.#path);
		this.#store.close();
		await rm(this.#folder, { recursive: true, force: true });
	}
}
