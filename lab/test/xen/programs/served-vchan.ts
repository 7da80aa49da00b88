import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DOM0 } from "@bulkhead/base";
import type { GrantOffers, RingHost } from "@bulkhead/hypervisor";
import { openGrantOffers, openRingHost } from "@bulkhead/hypervisor/native";
import { type OpenVchanServer, openVchanServer, type VchanServer, type VchanSession } from "@bulkhead/vchan";
import { XenstoreClient } from "@bulkhead/xenstore";
import { forgetTestNode, TEST_NODES } from "./test-nodes.ts";
import { eventually, untilExists } from "./waits.ts";

/** Our server in domain 0, published for Xen's vchan-socket-proxy as a client in domain 0. */
export class ServedVchan {
	readonly sessions: VchanSession[] = [];
	readonly server: VchanServer;
	readonly #store: XenstoreClient;
	readonly #path: string;
	readonly #folder: string;
	#proxy: ChildProcess | undefined;

	static async open(world: World, options: Partial<OpenVchanServer> & { serve: (session: VchanSession) => void }) {
		const store = await XenstoreClient.connect();
		return new ServedVchan(world, store, await mkdtemp(join(tmpdir(), "vchan-served-")), options);
	}

	private constructor(
		{ host, offers }: World,
		store: XenstoreClient,
		folder: string,
		{ serve, ...options }: Partial<OpenVchanServer> & { serve: (session: VchanSession) => void },
	) {
		this.#store = store;
		this.#folder = folder;
		this.#path = `${TEST_NODES}/served-${process.pid}`;
		this.server = openVchanServer({
			offers,
			evtchns: host.evtchns,
			domid: DOM0,
			onSession: (session) => {
				this.sessions.push(session);
				session.on("error", () => {});
				serve(session);
			},
			...options,
		});
	}

	/** In xenstore, where libxenvchan's clients look. */
	async publish(): Promise<string> {
		await this.#store.write(`${this.#path}/event-channel`, `${this.server.port}`);
		await this.#store.write(`${this.#path}/ring-ref`, `${this.server.ringRef}`);
		return this.#path;
	}

	async startProxy(): Promise<void> {
		const args = ["--mode=client", `${DOM0}`, await this.publish(), this.#socketPath];
		this.#proxy = spawn("vchan-socket-proxy", args, { stdio: "ignore" });
		await untilExists(this.#socketPath);
	}

	connect(): Socket {
		const socket = connect({ path: this.#socketPath });
		socket.on("error", () => {});
		return socket;
	}

	async killProxy(): Promise<void> {
		if (!this.#proxy) return;
		const exited = once(this.#proxy, "exit");
		this.#proxy.kill("SIGKILL");
		this.#proxy = undefined;
		await exited;
	}

	async close(): Promise<void> {
		await this.killProxy();
		await this.server.close();
		await forgetTestNode(this.#store, this.#path);
		this.#store.close();
		await rm(this.#folder, { recursive: true, force: true });
	}

	get #socketPath(): string {
		return join(this.#folder, "socket");
	}
}

export interface World {
	host: RingHost;
	offers: GrantOffers;
}

/** Runs on devices of its own, and finds what was not given back. */
export async function inWorld(body: (world: World) => Promise<Record<string, unknown> | undefined>) {
	const before = await openDescriptors();
	const world: World = { host: openRingHost(), offers: openGrantOffers() };
	try {
		return await body(world);
	} finally {
		world.offers.close();
		world.host.close();
		await eventually("all descriptors to close", async () => (await openDescriptors()) <= before);
	}
}

async function openDescriptors(): Promise<number> {
	return (await readdir("/proc/self/fd")).length;
}
