import { randomBytes } from "node:crypto";
import { chmod, chown, lstat } from "node:fs/promises";
import {
	RelayClient,
	type RelayMethod,
	type RelayNotification,
	type RelayParamsInput,
	type RelayResult,
} from "@bulkhead/api/relay";
import { BulkheadError, CancelledError, DeadlineError, DOM0, delay, Mutex, type Uuid } from "@bulkhead/base";
import type { HeldListener } from "@bulkhead/hypervisor";
import type { RingServices } from "@bulkhead/toolstack";

export interface RelayLinkOptions {
	/** The relay's control socket. */
	path: string;
	/** Where the relay is handed listening sockets. */
	inbox: string;
	onNotification: (notification: RelayNotification) => void;
	/** The relay is there, after the start or after it was gone: attach what it should serve. */
	onConnected: () => void;
	onLost: (error: Error | undefined) => void;
	/** QEMU has answered for the first time in a session: its run state. */
	onQmpAttached: (guest: Uuid, status: string) => void;
}

type AttachChannel = Parameters<RingServices["attachChannel"]>[0];
type AttachScreen = Parameters<RingServices["attachScreen"]>[0];

const TOKEN_BYTES = 16;
const RETRY_MS = { first: 100, longest: 2000 } as const;
const CONNECT_TIMEOUT_MS = 5000;
const REQUEST_TIMEOUT_MS = 15_000;
const RELEASE_TIMEOUT_MS = 5000;
const RELAY_IS_DOWN: ReadonlySet<string> = new Set(["relay-unreachable", "relay-lost"]);

/**
 * The connection to the relay, made anew for as long as the daemon lives. Requests wait for a connection until their
 * own deadline, so a relay that restarts looks like a slow one.
 */
export class RelayLink implements RingServices {
	readonly #options: RelayLinkOptions;
	readonly #stop = new AbortController();
	readonly #handingOver = new Mutex();
	#client: RelayClient | undefined;
	#waiting: (() => void)[] = [];
	readonly #toForget = new Set<Uuid>();

	constructor(options: RelayLinkOptions) {
		this.#options = options;
	}

	start(): void {
		void this.#connectForever();
	}

	close(): void {
		this.#stop.abort(new CancelledError("bulkheadd is stopping"));
		this.#client?.close();
	}

	get connected(): boolean {
		return this.#client !== undefined;
	}

	/** @throws DeadlineError `relay-unreachable` when there is no relay within the time */
	async awaitConnection(timeoutMs: number): Promise<void> {
		await this.#connection(timeoutMs);
	}

	async attachConsole(request: Parameters<RingServices["attachConsole"]>[0]): Promise<{ ptyPath?: string }> {
		return this.#request("attach-console", request, REQUEST_TIMEOUT_MS);
	}

	/**
	 * A listening socket goes into the relay's inbox first. One after the other: the inbox takes only a few before the
	 * relay looks into it.
	 */
	async attachChannel({ door, ...request }: AttachChannel): Promise<{ ptyPath?: string }> {
		return this.#handingOver.run(async () => {
			if (door.kind !== "listen") return this.#request("attach-channel", { ...request, door }, REQUEST_TIMEOUT_MS);
			const token = await this.#handOver(door.listener);
			const place = { kind: door.kind, token, ...(door.tls && { tls: door.tls }) };
			return this.#request("attach-channel", { ...request, door: place }, REQUEST_TIMEOUT_MS);
		});
	}

	async detachChannel(guest: Uuid, name: string): Promise<void> {
		await this.#request("detach-channel", { guest, name }, REQUEST_TIMEOUT_MS);
	}

	async servedChannels(guest: Uuid): Promise<RelayResult<"list">["channels"]> {
		return (await this.list(guest)).channels.filter((channel) => channel.guest === guest);
	}

	/** A listening socket goes into the relay's inbox first. */
	async attachScreen({ door, ...request }: AttachScreen): Promise<void> {
		await this.#handingOver.run(async () => {
			if (!door) return this.#request("attach-screen", request, REQUEST_TIMEOUT_MS);
			const token = await this.#handOver(door.listener);
			const { listener: _, ...listener } = door;
			return this.#request("attach-screen", { ...request, listener: { token, ...listener } }, REQUEST_TIMEOUT_MS);
		});
	}

	async attachQmp({ timeoutMs, ...request }: Parameters<RingServices["attachQmp"]>[0]): Promise<void> {
		const parameters = { ...request, greetingTimeoutMs: timeoutMs };
		const { status } = await this.#request("attach-qmp", parameters, timeoutMs + REQUEST_TIMEOUT_MS);
		this.#options.onQmpAttached(request.guest, status);
	}

	/** The socket becomes the relay's user's: QEMU made it as root, and nobody else has a use for it. */
	async attachQmpSocket({ guest, path, timeoutMs }: Parameters<RingServices["attachQmpSocket"]>[0]): Promise<void> {
		const { uid, gid } = await lstat(this.#options.path);
		await chmod(path, 0o600);
		await chown(path, uid, gid);
		const parameters = { guest, domid: DOM0, path, greetingTimeoutMs: timeoutMs };
		const { status } = await this.#request("attach-qmp", parameters, timeoutMs + REQUEST_TIMEOUT_MS);
		this.#options.onQmpAttached(guest, status);
	}

	async executeQmp(
		guest: Uuid,
		command: string,
		args: Record<string, unknown> | undefined,
		timeoutMs: number,
	): Promise<unknown> {
		const request = { guest, command, arguments: args, timeoutMs };
		return (await this.#request("qmp-execute", request, timeoutMs + REQUEST_TIMEOUT_MS)).return;
	}

	async tail(guest: Uuid, label: string, maxBytes: number): Promise<Uint8Array> {
		const { base64 } = await this.#request("tail", { guest, label, maxBytes }, REQUEST_TIMEOUT_MS);
		return Buffer.from(base64, "base64");
	}

	/** A relay that is down maps nothing: what it should also forget is told to it when it comes back. */
	async release(guest: Uuid, { purge }: { purge: boolean }): Promise<void> {
		try {
			await (purge ? this.#forget(guest) : this.#detach(guest));
		} catch (error) {
			if (!(error instanceof BulkheadError) || !RELAY_IS_DOWN.has(error.code)) throw error;
			if (purge) this.#toForget.add(guest);
		}
	}

	async #forget(guest: Uuid): Promise<void> {
		await this.#request("forget-guest", { guest }, RELEASE_TIMEOUT_MS);
		this.#toForget.delete(guest);
	}

	async #detach(guest: Uuid): Promise<void> {
		const { consoles, channels } = await this.#request("list", { guest }, RELEASE_TIMEOUT_MS);
		const labels = consoles.filter((console) => console.guest === guest).map(({ label }) => label);
		await Promise.all([
			this.#request("detach-qmp", { guest }, RELEASE_TIMEOUT_MS),
			this.#request("detach-screen", { guest }, RELEASE_TIMEOUT_MS),
			...channels
				.filter((channel) => channel.guest === guest)
				.map(({ name }) => this.#request("detach-channel", { guest, name }, RELEASE_TIMEOUT_MS)),
			...labels.map((label) => this.#request("detach-console", { guest, label, purge: false }, RELEASE_TIMEOUT_MS)),
		]);
	}

	/** What the relay serves now, of one guest or of all. */
	async list(guest?: Uuid): Promise<RelayResult<"list">> {
		return this.#request("list", { guest }, REQUEST_TIMEOUT_MS);
	}

	async hello(): Promise<RelayResult<"hello">> {
		return this.#request("hello", {}, REQUEST_TIMEOUT_MS);
	}

	/** @returns the name under which the relay finds it, once */
	async #handOver(listener: HeldListener): Promise<string> {
		const token = randomBytes(TOKEN_BYTES).toString("hex");
		await this.#connection(REQUEST_TIMEOUT_MS);
		listener.handTo(this.#options.inbox, token);
		return token;
	}

	async #request<M extends RelayMethod>(
		method: M,
		params: RelayParamsInput<M>,
		timeoutMs: number,
	): Promise<RelayResult<M>> {
		const client = await this.#connection(timeoutMs);
		return client.request(method, params, { timeoutMs });
	}

	async #connection(timeoutMs: number): Promise<RelayClient> {
		const limit = performance.now() + timeoutMs;
		while (!this.#client) {
			const leftMs = limit - performance.now();
			if (leftMs <= 0) throw unreachable(this.#options.path);
			await this.#nextConnection(leftMs);
		}
		return this.#client;
	}

	#nextConnection(timeoutMs: number): Promise<void> {
		this.#stop.signal.throwIfAborted();
		return new Promise((resolve) => {
			const timer = setTimeout(resolve, timeoutMs);
			this.#waiting.push(() => {
				clearTimeout(timer);
				resolve();
			});
		});
	}

	async #connectForever(): Promise<void> {
		const { path, onNotification, onConnected, onLost } = this.#options;
		let pauseMs: number = RETRY_MS.first;
		while (!this.#stop.signal.aborted) {
			try {
				let ended: (error: Error | undefined) => void = () => {};
				const end = new Promise<Error | undefined>((resolve) => {
					ended = resolve;
				});
				const client = await RelayClient.connect({
					path,
					timeoutMs: CONNECT_TIMEOUT_MS,
					onNotification,
					onClose: ended,
				});
				pauseMs = RETRY_MS.first;
				this.#client = client;
				this.#wake();
				for (const guest of this.#toForget) void this.release(guest, { purge: true }).catch(() => {}); // It is kept for the next time.
				onConnected();
				const error = await end;
				this.#client = undefined;
				if (!this.#stop.signal.aborted) onLost(error);
			} catch (error) {
				if (!(error instanceof BulkheadError)) throw error;
			}
			await delay(pauseMs, this.#stop.signal).catch(() => {});
			pauseMs = Math.min(2 * pauseMs, RETRY_MS.longest);
		}
		this.#wake();
	}

	#wake(): void {
		const waiting = this.#waiting;
		this.#waiting = [];
		for (const wake of waiting) wake();
	}
}

function unreachable(path: string): DeadlineError {
	return new DeadlineError(
		"The relay is not running",
		{ remedy: "Start bulkhead-relay, or look into its log", fields: { path } },
		"relay-unreachable",
	);
}
