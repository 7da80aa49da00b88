import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { access, mkdtemp, readdir, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { DOM0, delay, withDeadline } from "@bulkhead/base";
import type { GrantOffers, RingHost } from "@bulkhead/hypervisor";
import { openGrantOffers, openRingHost } from "@bulkhead/hypervisor/native";
import {
	type OpenVchanServer,
	openVchanClient,
	openVchanServer,
	type VchanServer,
	type VchanSession,
} from "@bulkhead/vchan";
import { XenstoreClient } from "@bulkhead/xenstore";
import type { Row } from "./rows.ts";

const STEP_MS = 20_000;
const RECONNECTS = 30;

/** Our server in domain 0, published for Xen's vchan-socket-proxy as a client in domain 0. */
class ServedVchan {
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
		this.#path = `/bulkhead-test/served-${process.pid}`;
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

	async startProxy(): Promise<void> {
		await this.#store.write(`${this.#path}/event-channel`, `${this.server.port}`);
		await this.#store.write(`${this.#path}/ring-ref`, `${this.server.ringRef}`);
		const args = ["--mode=client", `${DOM0}`, this.#path, this.#socketPath];
		this.#proxy = spawn("vchan-socket-proxy", args, { stdio: "ignore" });
		await eventually("the proxy's socket", () =>
			access(this.#socketPath).then(
				() => true,
				() => false,
			),
		);
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
		await this.#store.remove(this.#path);
		if ((await this.#store.findList("/bulkhead-test"))?.length === 0) await this.#store.remove("/bulkhead-test");
		this.#store.close();
		await rm(this.#folder, { recursive: true, force: true });
	}

	get #socketPath(): string {
		return join(this.#folder, "socket");
	}
}

interface World {
	host: RingHost;
	offers: GrantOffers;
}

const BODIES: Record<string, (world: World) => Promise<Record<string, unknown> | undefined>> = {
	"our server: Xen's client sends a MiB and gets it back": async (world) => {
		const served = await ServedVchan.open(world, { serve: (session) => void session.pipe(session) });
		try {
			await served.startProxy();
			const socket = served.connect();
			const sent = randomBytes(1024 * 1024);
			const started = performance.now();
			socket.write(sent);
			assert.equal(sha256(await soon("the echo", collect(socket, sent.length))), sha256(sent));
			const ms = performance.now() - started;
			socket.destroy();
			return { kibPerSecondEachWay: Math.round((1024 * 1000) / ms) };
		} finally {
			await served.close();
		}
	},
	"our server: Xen's client comes back again and again at once, and is greeted each time": async (world) => {
		const served = await ServedVchan.open(world, { serve: (session) => void session.resume().write("greeting\n") });
		try {
			await served.startProxy();
			for (let round = 0; round < RECONNECTS; round++) {
				const socket = served.connect();
				const text = (await soon(`greeting ${round}`, collect(socket, 9))).toString();
				assert.ok(text.startsWith("greeting\n"), text);
				socket.destroy();
			}
			return { reconnects: RECONNECTS };
		} finally {
			await served.close();
		}
	},
	"our server: Xen's client that is killed ends the session": async (world) => {
		const served = await ServedVchan.open(world, { serve: (session) => void session.resume().write("hello") });
		try {
			await served.startProxy();
			const socket = served.connect();
			await soon("the greeting", collect(socket, 5));
			const [session] = served.sessions;
			assert.ok(session);
			const ended = once(session, "close");
			await served.killProxy();
			await soon("the session's end", ended);
			return undefined;
		} finally {
			await served.close();
		}
	},
	"both ends ours: rings of many pages carry a MiB each way, and clients come back": async (world) => {
		const served = await ServedVchan.open(world, {
			leftOrder: 14,
			rightOrder: 16,
			serve: (session) => void session.pipe(session),
		});
		try {
			const { ringRef, port: remotePort } = served.server;
			const { grants, evtchns } = world.host;
			const sent = randomBytes(1024 * 1024);
			const started = performance.now();
			const rounds = 20;
			for (let round = 0; round < rounds; round++) {
				const client = openVchanClient({ grants, evtchns, domid: DOM0, ringRef, remotePort });
				const bytes = round === 0 ? sent : sent.subarray(0, 10_000);
				client.write(bytes);
				assert.equal(sha256(await soon("the echo", collect(client, bytes.length))), sha256(bytes));
				await client.close();
			}
			assert.equal(served.sessions.length, rounds);
			return { ms: Math.round(performance.now() - started) };
		} finally {
			await served.close();
		}
	},
};

export function vchanServerRows(): Row[] {
	return Object.entries(BODIES).map(([name, body]) => ({ name, run: () => inWorld(body) }));
}

/** Runs on devices of its own, and finds what was not given back. */
async function inWorld(body: (world: World) => Promise<Record<string, unknown> | undefined>) {
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

function collect(stream: Duplex, length: number): Promise<Buffer> {
	return new Promise((resolve, reject) => {
		const chunks: Buffer[] = [];
		let got = 0;
		stream.on("data", (chunk: Buffer) => {
			chunks.push(chunk);
			got += chunk.length;
			if (got >= length) resolve(Buffer.concat(chunks));
		});
		stream.once("error", reject);
		stream.once("close", () => reject(new Error(`The stream ended after ${got} bytes of ${length}`)));
	});
}

async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
	const deadline = performance.now() + STEP_MS;
	while (!(await holds())) {
		assert.ok(performance.now() < deadline, `Gave up waiting for ${what}`);
		await delay(20);
	}
}

function soon<T>(what: string, promise: Promise<T>): Promise<T> {
	return withDeadline(promise, { timeoutMs: STEP_MS, what });
}

function sha256(bytes: Buffer): string {
	return createHash("sha256").update(bytes).digest("hex");
}
