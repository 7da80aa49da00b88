import { chmod, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import type { Duplex } from "node:stream";
import { BulkheadError, type DomId, InvalidInputError } from "@bulkhead/base";
import { RING_BYTES } from "./connection.ts";
import { HostView } from "./host-view.ts";
import { memoryPair } from "./memory-pair.ts";
import type { Quotas } from "./quotas.ts";
import { type DomainListener, type Ring, Xenstored } from "./xenstored.ts";

export interface XenstoreServerOptions {
	/** Different limits for unprivileged domains. Default: those of xenstored 4.17. */
	quotas?: Partial<Quotas>;
	/** Asks the host whether there is such a domain now. Default: every ordinary number is one. */
	domainExists?: (domid: DomId) => boolean;
	/**
	 * Bytes of events that a client of domain 0 may leave unread before it is cut off. Default 16 MiB. (For domains the
	 * quota of memory holds.)
	 */
	mostUnread?: number;
	/** Lines for people: refusals while `control log on` holds, domains above their soft quota. */
	log?: (line: string) => void;
}

/** How much the server holds. */
export interface ServerCounts {
	nodes: number;
	watches: number;
	transactions: number;
	/** Sockets and in-process clients of domain 0. */
	clients: number;
	/** Introduced ones, domain 0 included. */
	domains: number;
}

const MOST_UNREAD = 16 * 1024 * 1024;
/** DOMID_FIRST_RESERVED (xen.h). */
const FIRST_RESERVED_DOMID = 0x7ff0;
/** As for a socket. */
const CLIENT_BUFFER = 64 * 1024;

/**
 * xenstored in this process: the tree of a Xen host in memory, with the real protocol on unix sockets and in-process
 * streams, and the permissions, quotas and errors of xenstored 4.17 (the one in C). Nothing in it depends on clocks or
 * chance: the same requests in the same order get the same answers.
 */
export class XenstoreServer implements AsyncDisposable {
	/** The tree for the host itself, beside all clients: what it does is done at once, as domain 0. */
	readonly host: HostView;
	readonly #xenstored: Xenstored;
	readonly #sockets = new Map<string, Server>();
	/** Rings whose domain has not been introduced yet. */
	readonly #waiting = new Map<number, Duplex>();

	constructor(options: XenstoreServerOptions = {}) {
		const { quotas, domainExists = () => true, mostUnread = MOST_UNREAD, log } = options;
		this.#xenstored = new Xenstored({
			quotas,
			domainExists: (domid) => domid < FIRST_RESERVED_DOMID && domainExists(domid as DomId),
			mostUnread,
			log,
		});
		this.host = new HostView(this.#xenstored);
		this.#listen({ introduced: (domid) => this.#attachWaiting(domid) });
	}

	/** A server with one socket. @see listen */
	static async listen(path: string, options?: XenstoreServerOptions): Promise<XenstoreServer> {
		const server = new XenstoreServer(options);
		await server.listen(path);
		return server;
	}

	/**
	 * Every client of this socket is domain 0. A file that is there already is replaced, as xenstored does; only the
	 * owner may connect. @throws BulkheadError `xenstore-server-socket`
	 */
	async listen(path: string): Promise<void> {
		const socket = createServer({ allowHalfOpen: true }, (client) => {
			client.setNoDelay(true);
			this.#xenstored.addClient().attach(client);
		});
		try {
			await rm(path, { force: true });
			await new Promise<void>((resolve, reject) => {
				socket.once("error", reject);
				socket.listen(path, resolve);
			});
			await chmod(path, 0o600);
		} catch (cause) {
			socket.close();
			throw new BulkheadError("xenstore-server-socket", `Could not listen at ${path}`, {
				cause,
				remedy: "Name a path whose folder exists, and no longer than 107 bytes",
				fields: { path },
			});
		}
		this.#sockets.set(path, socket);
	}

	/** A client of domain 0 in this process: bytes as on the socket. Ending or destroying the stream disconnects it. */
	connectClient(): Duplex {
		const [near, far] = memoryPair(CLIENT_BUFFER);
		this.#xenstored.addClient().attach(near);
		return far;
	}

	/**
	 * The domain's end of its ring. What is written before the domain is introduced waits. The stream is destroyed when
	 * the domain is released or gone. Destroying it here drops the domain's watches and transactions, as a fresh
	 * introduction would, and it can be connected anew.
	 * @throws InvalidInputError when it is connected
	 */
	connectDomain(domid: DomId): Duplex {
		const connection = this.#xenstored.domains.findIntroduced(domid)?.connection;
		if (connection?.hasStream || this.#waiting.has(domid))
			throw new InvalidInputError(`Domain ${domid} is connected to xenstore already`, { fields: { domid } });
		const [near, far] = memoryPair(RING_BYTES);
		if (connection) {
			connection.attach(near);
			return far;
		}
		this.#waiting.set(domid, near);
		near.once("close", () => {
			if (this.#waiting.get(domid) === near) this.#waiting.delete(domid);
		});
		return far;
	}

	/** As a client's INTRODUCE. @throws Refusal EINVAL when there is no such domain */
	introduceDomain(domid: DomId, ring: Ring = { frame: 0, port: 1 }): void {
		this.#xenstored.introduce(domid, ring);
	}

	/** The domain has powered off, crashed or suspended, and still exists: @releaseDomain fires, once. */
	domainShutdown(domid: DomId): void {
		const domain = this.#xenstored.domains.find(domid);
		if (domain) this.#xenstored.shutDown(domain);
	}

	/**
	 * The domain does not exist any more, or is dying: its connection ends, the nodes that it owns are removed, and
	 * @releaseDomain fires if it had been introduced. All but the first waits for the end of a stub domain whose target it
	 * is, as in xenstored. Safe to repeat.
	 */
	domainGone(domid: DomId): void {
		const domain = this.#xenstored.domains.find(domid);
		if (domid === 0) throw new InvalidInputError("Domain 0 cannot go");
		this.#waiting.get(domid)?.destroy();
		this.#waiting.delete(domid);
		if (domain) this.#xenstored.gone(domain);
	}

	/** After every INTRODUCE that went well, repeated ones included. Returns the way to take it back. */
	onIntroduce(listener: (domid: DomId, ring: Ring) => void): () => void {
		return this.#listen({ introduced: (domid, ring) => listener(domid as DomId, ring) });
	}

	/** After RELEASE and `domainGone` of an introduced domain. */
	onRelease(listener: (domid: DomId) => void): () => void {
		return this.#listen({ released: (domid) => listener(domid as DomId) });
	}

	onSetTarget(listener: (stub: DomId, guest: DomId) => void): () => void {
		return this.#listen({ targetSet: (domid, target) => listener(domid as DomId, target as DomId) });
	}

	/**
	 * Drops the events that an unprivileged domain has not read since the last call: xenstored does it after 20 seconds,
	 * so that whoever caused them is not held up for ever. There is no clock here: the host decides when.
	 */
	expireEvents(): void {
		for (const client of this.#xenstored.clients) if (client.isUnprivileged) client.expireEvents();
	}

	get counts(): ServerCounts {
		const { tree, watches, clients } = this.#xenstored;
		const all = [...clients];
		return {
			nodes: tree.size,
			watches: watches.size,
			transactions: all.reduce((sum, { transactions }) => sum + transactions.size, 0),
			clients: all.filter(({ isDomain }) => !isDomain).length,
			domains: all.filter(({ isDomain }) => isDomain).length,
		};
	}

	/** @throws BulkheadError `xenstore-server-busy` naming the watches and transactions that are open, and damage */
	assertIdle(): void {
		const open = [...this.#xenstored.clients].flatMap(({ domid, watches, transactions }) => [
			...[...watches.values()].map(({ path }) => `watch of domain ${domid} on ${path}`),
			...[...transactions.keys()].map((id) => `transaction ${id} of domain ${domid}`),
		]);
		const damage = this.#xenstored.findInconsistency();
		if (damage !== undefined) open.push(damage);
		if (open.length > 0)
			throw new BulkheadError("xenstore-server-busy", `Left open: ${open.join(", ")}`, { fields: { open } });
	}

	/** Ends the sockets and all connections. Safe to repeat. */
	async close(): Promise<void> {
		const sockets = [...this.#sockets.values()];
		this.#sockets.clear();
		const closed = sockets.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve())));
		for (const stream of this.#waiting.values()) stream.destroy();
		for (const client of this.#xenstored.clients) {
			const stream = client.detach();
			client.reset();
			stream?.destroy();
		}
		await Promise.all(closed);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.close();
	}

	#attachWaiting(domid: number): void {
		const stream = this.#waiting.get(domid);
		const connection = this.#xenstored.domains.findIntroduced(domid)?.connection;
		if (!stream || !connection || connection.hasStream) return;
		this.#waiting.delete(domid);
		connection.attach(stream);
	}

	#listen(some: Partial<DomainListener>): () => void {
		const nothing = (): void => {};
		const listener: DomainListener = { introduced: nothing, released: nothing, targetSet: nothing, ...some };
		this.#xenstored.listeners.add(listener);
		return () => {
			this.#xenstored.listeners.delete(listener);
		};
	}
}
