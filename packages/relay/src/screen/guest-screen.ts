import { setMaxListeners } from "node:events";
import { chmodSync, mkdirSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import { createSecureContext } from "node:tls";
import type { AttachedScreen, AttachScreen, ScreenListener } from "@bulkhead/api/relay";
import { CancelledError, serializeError, TokenBucket } from "@bulkhead/base";
import { listen, removeSocket } from "@bulkhead/console";
import type { ListenerInbox, RingHost } from "@bulkhead/hypervisor";
import type { RelayLog } from "../relay-log.ts";
import { serveHanded } from "../stream/serve-handed.ts";
import { withKeys } from "../stream/with-keys.ts";
import { dialScreen } from "./dial-screen.ts";
import { PasswordGuard } from "./password-guard.ts";
import { type ViewerSecurity, WrongPasswordError } from "./rfb/greet-viewer.ts";
import { ScreenSlots } from "./screen-slots.ts";
import { serveViewer } from "./serve-viewer.ts";

export interface GuestScreenParts {
	host: RingHost;
	inbox: ListenerInbox;
	/** Where viewers of this host come. */
	socketPath: string;
	/** Root, or the relay's own user. */
	admit: (socket: Socket) => boolean;
	log: RelayLog;
}

/** Those that have not shown a password yet count too. */
const MOST_CONNECTIONS = 32;
/** Half-dead connections of viewers are found by the kernel. */
const KEEP_ALIVE_MS = 60_000;
/** Complaints about viewers, who may be anybody. */
const COMPLAINTS = { burst: 20, perSecond: 1 } as const;
const SECURITY = { none: "none", password: "password", tls: "tls", both: "tls-and-password" } as const;

/** One guest's screen: the sockets that viewers come to, and those who look. */
export class GuestScreen {
	readonly request: AttachScreen;
	readonly #parts: GuestScreenParts;
	readonly #end = new AbortController();
	readonly #slots: ScreenSlots;
	readonly #servers: Server[] = [];
	readonly #viewers = new Set<Promise<void>>();
	readonly #complaints = new TokenBucket(COMPLAINTS);

	/** @throws BulkheadError `cannot-listen`, `listener-missing`, `bad-keys`; InvalidInputError for a path that is too long */
	static async open(request: AttachScreen, parts: GuestScreenParts): Promise<GuestScreen> {
		const screen = new GuestScreen(request, parts);
		try {
			await screen.#openSocket();
			if (request.listener) await screen.#openListener(request.listener);
			return screen;
		} catch (error) {
			await screen.close();
			throw error;
		}
	}

	private constructor(request: AttachScreen, parts: GuestScreenParts) {
		this.request = request;
		this.#parts = parts;
		const { signal } = this.#end;
		// Each viewer listens.
		setMaxListeners(0, signal);
		const { domid, slots } = request;
		this.#slots = new ScreenSlots(slots, (slot) => dialScreen(parts.host, { domid, slot, signal }));
	}

	describe(): AttachedScreen {
		const { guest, domid, slots, listener } = this.request;
		return {
			guest,
			domid,
			slots,
			socketPath: this.#parts.socketPath,
			viewers: this.#slots.used,
			...(listener && {
				listener: { address: listener.address, port: listener.port, security: securityOf(listener) },
			}),
		};
	}

	/** Lets go of everything at once; resolves when the last viewer is gone. Idempotent. */
	async close(): Promise<void> {
		this.#end.abort(new CancelledError("The guest's screen is served no more"));
		if (this.#servers.length > 0) removeSocket(this.#parts.socketPath);
		for (const server of this.#servers.splice(0)) server.close();
		await Promise.allSettled(this.#viewers);
	}

	async #openSocket(): Promise<void> {
		const { socketPath, admit } = this.#parts;
		const folder = dirname(socketPath);
		mkdirSync(folder, { recursive: true });
		// The way is the same as to the QMP sockets, whatever the umask is.
		chmodSync(folder, 0o750);
		const server = createServer((socket) => {
			if (!admit(socket)) socket.destroy();
			else if (this.#slots.areTaken) {
				this.#complain("A viewer too many was turned away", {});
				socket.destroy();
			} else this.#serve(socket, {}, "socket");
		});
		server.maxConnections = MOST_CONNECTIONS;
		await listen(server, socketPath);
		this.#servers.push(server);
		chmodSync(socketPath, 0o600);
	}

	async #openListener({ token, password, tls }: ScreenListener): Promise<void> {
		const security: ViewerSecurity = {
			...(password !== undefined && { password }),
			...(tls && { tls: withKeys("The screen's certificate or key", () => createSecureContext(tls)) }),
		};
		const guard = password === undefined ? undefined : new PasswordGuard();
		const makeServer = (): Server =>
			createServer({ keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS, noDelay: true }, (socket) => {
				const address = socket.remoteAddress ?? "";
				if (guard?.admits(address) ?? true) this.#serve(socket, security, address, guard);
				else socket.destroy();
			});
		const server = await serveHanded({ inbox: this.#parts.inbox, token, makeServer, what: "screen" });
		server.on("error", (error) => this.#complain("A viewer was lost before it was there", { error }));
		server.maxConnections = MOST_CONNECTIONS;
		this.#servers.push(server);
	}

	#serve(socket: Socket, security: ViewerSecurity, from: string, guard?: PasswordGuard): void {
		const { log } = this.#parts;
		const { guest } = this.request;
		const { signal } = this.#end;
		socket.on("error", () => {}); // "close" follows
		let isThere = false;
		const onBegin = (): void => {
			isThere = true;
			guard?.spare(from);
			log.info({ guest, from, viewers: this.#slots.used }, "A viewer looks at a guest's screen");
		};
		const served = serveViewer({ socket, security, slots: this.#slots, signal, onBegin })
			.catch((error: unknown) => {
				if (!isThere && !(error instanceof WrongPasswordError)) guard?.spare(from);
				if (!signal.aborted) this.#complain("A viewer does not see a guest's screen", { from, error });
			})
			.finally(() => {
				this.#viewers.delete(served);
				if (isThere) log.info({ guest, from }, "A viewer has left a guest's screen");
			});
		this.#viewers.add(served);
	}

	#complain(what: string, { error, ...facts }: { from?: string; error?: unknown }): void {
		if (!this.#complaints.take()) return;
		const { guest } = this.request;
		this.#parts.log.warn({ guest, ...facts, ...(error !== undefined && { error: serializeError(error) }) }, what);
	}
}

function securityOf({ password, tls }: ScreenListener): NonNullable<AttachedScreen["listener"]>["security"] {
	if (tls) return password === undefined ? SECURITY.tls : SECURITY.both;
	return password === undefined ? SECURITY.none : SECURITY.password;
}
