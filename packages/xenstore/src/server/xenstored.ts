import type { Duplex } from "node:stream";
import { Children } from "./children.ts";
import { Connection, type ConnectionContext } from "./connection.ts";
import type { Domain } from "./domain.ts";
import { Domains } from "./domains.ts";
import type { Request } from "./inbox.ts";
import { LiveTree } from "./live-tree.ts";
import { isOverMemory, LiveView } from "./live-view.ts";
import { childOf, nameOf, parentOf } from "./node-path.ts";
import { removeTree } from "./nodes.ts";
import { privatePermissions } from "./permissions.ts";
import { DEFAULT_QUOTAS, DEFAULT_SOFT_MEMORY, type Quotas } from "./quotas.ts";
import { Refusal, refuse } from "./refusal.ts";
import { RequestWeight } from "./request-weight.ts";
import { REQUEST_KINDS } from "./requests/request-kinds.ts";
import type { Store } from "./store.ts";
import { emptyContent } from "./store-node.ts";
import { Turns } from "./turns.ts";
import { WatchTable } from "./watch-table.ts";

/** What the host is told of, by `XenstoreServer`'s listeners. */
export interface DomainListener {
	introduced(domid: number, ring: Ring): void;
	released(domid: number): void;
	targetSet(domid: number, target: number): void;
}

/** What INTRODUCE says of a domain's ring. */
export interface Ring {
	frame: number;
	/** The domain's end of the event channel. */
	port: number;
}

export interface XenstoredOptions {
	quotas?: Partial<Quotas>;
	/** Asks the host whether there is such a domain. */
	domainExists: (domid: number) => boolean;
	mostUnread: number;
	log: ((line: string) => void) | undefined;
}

/** xenstored without its sockets: the tree, the domains, the clients, and what clients and host can do with them. */
export class Xenstored implements Store, ConnectionContext {
	readonly tree: LiveTree = new LiveTree();
	readonly watches: WatchTable = new WatchTable();
	readonly turns: Turns = new Turns();
	readonly domains: Domains;
	readonly quotas: Quotas;
	readonly clients: Set<Connection> = new Set();
	readonly mostUnread: number;
	readonly listeners: Set<DomainListener> = new Set();
	/** Bytes. */
	softMemory: number = DEFAULT_SOFT_MEMORY;
	isLogging = false;
	readonly #exists: (domid: number) => boolean;
	readonly #log: ((line: string) => void) | undefined;

	constructor({ quotas, domainExists, mostUnread, log }: XenstoredOptions) {
		this.quotas = { ...DEFAULT_QUOTAS, ...quotas };
		this.mostUnread = mostUnread;
		this.#exists = domainExists;
		this.#log = log;
		this.domains = new Domains(domainExists, () => this.tree.generation);
		this.#makeConnection(this.domains.ensure(0), true);
		this.#makeFirstNodes();
	}

	/** A process of domain 0, as on the socket. */
	addClient(): Connection {
		return this.#makeConnection(this.domains.ensure(0), false);
	}

	handle(client: Connection, request: Request): void {
		const weight = client.isUnprivileged ? new RequestWeight(client.account) : undefined;
		try {
			this.#perform(client, request, weight);
		} catch (error) {
			if (!(error instanceof Refusal)) throw error;
			this.log(`Request ${request.type} of domain ${client.domid} is refused: ${error.errno}`);
			client.replyError(request, error.errno, weight);
		}
		if (client.isUnprivileged) this.#warnOfMemory(client.account);
	}

	ended(client: Connection): void {
		this.#disconnect(client)?.end();
	}

	lost(client: Connection): void {
		this.#disconnect(client)?.destroy();
	}

	/** Again: its connection begins anew. @throws Refusal EINVAL when there is no such domain */
	introduce(domid: number, ring: Ring): void {
		const remembered = this.domains.find(domid);
		// Another one by now. xenstored would not survive it.
		if (remembered?.isGone) this.#end(remembered);
		const known = this.domains.findIntroduced(domid);
		if (known) known.connection?.reset();
		else if (!this.#exists(domid)) refuse("EINVAL");
		else {
			const domain = this.domains.ensure(domid);
			domain.isShutdown = false;
			this.#makeConnection(domain, true);
			this.watches.fireSpecial("@introduceDomain");
		}
		for (const listener of this.listeners) listener.introduced(domid, ring);
	}

	/** RELEASE. A domain that a stub domain holds as its target stays; asked again, it goes. */
	release(domain: Domain): void {
		const holder = this.#holderOf(domain);
		if (holder) holder.heldTarget = undefined;
		else this.#end(domain);
	}

	/**
	 * The host has no such domain any more. While its stub domain is connected, xenstored keeps what it owns, says that it
	 * is introduced, and announces nothing: all of that comes when the stub domain goes (seen with 4.17).
	 */
	gone(domain: Domain): void {
		domain.isGone = true;
		if (this.#holderOf(domain)) this.#silence(domain.connection);
		else this.#end(domain);
	}

	setTarget({ connection, domid }: Domain, target: Domain): void {
		if (connection) {
			connection.target = target.domid;
			// Domain 0 would hold it for ever.
			if (domid !== 0) connection.heldTarget = target;
		}
		for (const listener of this.listeners) listener.targetSet(domid, target.domid);
	}

	/** Its end is announced once, until it is resumed. */
	shutDown(domain: Domain): void {
		if (!domain.isIntroduced || domain.isShutdown) return;
		domain.isShutdown = true;
		this.watches.fireSpecial("@releaseDomain");
	}

	setQuota(name: keyof Quotas, value: number): void {
		this.quotas[name] = value;
		for (const client of this.clients) client.wake();
	}

	isOverMemory(domain: Domain, bytes: number): boolean {
		return isOverMemory(this.quotas.memory, domain, bytes);
	}

	/** What does not fit together of nodes, lists of children and accounts: nothing, ever. */
	findInconsistency(): string | undefined {
		for (const [path, { children }] of this.tree.entries()) {
			for (const name of children)
				if (!this.tree.get(childOf(path, name))) return `Node ${path} lists ${name}, which is not there`;
			const above = this.tree.get(parentOf(path));
			if (path !== "/" && !above?.children.has(nameOf(path))) return `Node ${path} is in no list`;
		}
		return this.#findWrongAccount();
	}

	/** To the host's log, while `control log on` holds. */
	log(line: string): void {
		if (this.isLogging) this.#log?.(line);
	}

	#perform(client: Connection, request: Request, weight: RequestWeight | undefined): void {
		const kind = REQUEST_KINDS.get(request.type) ?? refuse("ENOSYS");
		if (kind.isPrivileged && client.isUnprivileged) refuse("EACCES");
		const id = kind.ignoresTransaction ? 0 : request.transactionId;
		const transaction = id === 0 ? undefined : (client.transactions.get(id) ?? refuse("ENOENT"));
		const view = transaction ?? new LiveView(this, client, weight);
		kind.handle({ server: this, client, request, transaction, view, weight });
	}

	/** Those that are gone themselves hold nobody: xenstored never lets go of two that are each other's target. */
	#holderOf(domain: Domain): Connection | undefined {
		for (const client of this.clients)
			if (client.heldTarget === domain && client.account !== domain && !client.account.isGone) return client;
		return undefined;
	}

	#silence(connection: Connection | undefined): void {
		connection?.detach()?.destroy();
		connection?.reset();
	}

	/** Ends the connection. What the domain owns is removed, since its number may come back. */
	#end(domain: Domain): void {
		const { connection, domid } = domain;
		domain.connection = undefined;
		this.#silence(connection);
		if (connection) this.clients.delete(connection);
		for (const client of this.clients) if (client.heldTarget === domain) client.heldTarget = undefined;
		if (connection?.heldTarget?.isGone) this.#end(connection.heldTarget);
		this.#removeNodesOf(domain);
		this.watches.forgetDomain(domid);
		this.domains.forget(domid);
		if (!connection) return;
		this.watches.fireSpecial("@releaseDomain");
		for (const listener of this.listeners) listener.released(domid);
	}

	#makeConnection(domain: Domain, isDomain: boolean): Connection {
		const connection = new Connection(domain, isDomain, this);
		if (isDomain) domain.connection = connection;
		this.clients.add(connection);
		return connection;
	}

	/** As xenstored begins (setup_structure). */
	#makeFirstNodes(): void {
		const leaf = emptyContent(privatePermissions(0));
		this.tree.put("/", { ...leaf, children: Children.of("tool") }, this.domains);
		this.tree.put("/tool", { ...leaf, children: Children.of("xenstored") }, this.domains);
		this.tree.put("/tool/xenstored", leaf, this.domains);
	}

	#findWrongAccount(): string | undefined {
		const accounts = new Map([...this.domains].map(({ domid }) => [domid, { nodes: 0, memory: 0 }]));
		const stranger = { nodes: 0, memory: 0 };
		for (const [path, { permissions, size }] of this.tree.entries()) {
			const account = accounts.get(permissions[0].domid) ?? stranger;
			account.nodes++;
			account.memory += path.length + size;
		}
		if (stranger.nodes > 0) return `Of the nodes ${stranger.nodes} belong to nobody`;
		for (const { domid, memory } of this.clients) (accounts.get(domid) ?? stranger).memory += memory;
		for (const { domid, nodes, memory } of this.domains) {
			const due = accounts.get(domid);
			if (nodes !== due?.nodes || memory !== due.memory)
				return `Domain ${domid} is charged for ${nodes} nodes and ${memory} bytes, not ${due?.nodes} and ${due?.memory}`;
		}
		return undefined;
	}

	/** A socket's client is gone for good; a domain's connection may be attached to again. */
	#disconnect(client: Connection): Duplex | undefined {
		const stream = client.detach();
		client.reset();
		if (!client.isDomain) this.clients.delete(client);
		return stream;
	}

	#warnOfMemory(domain: Domain): void {
		const isAbove = domain.memory >= this.softMemory;
		if (isAbove && !domain.isWarnedOf) this.#log?.(`Domain ${domain.domid} is above its soft quota of memory`);
		domain.isWarnedOf = isAbove;
	}

	/**
	 * Each with everything below it, whoever owns that (domain_tree_remove). The root goes back to domain 0; xenstored
	 * loses the whole tree when somebody has given the root to a domain that ends.
	 */
	#removeNodesOf(domain: Domain): void {
		const view = new LiveView(this);
		const visit = (path: string): void => {
			const node = domain.nodes > 0 ? this.tree.get(path) : undefined;
			if (!node) return;
			const [owner, ...others] = node.permissions;
			const isOwned = owner.domid === domain.domid;
			if (isOwned && path !== "/") {
				removeTree(view, path);
				return;
			}
			if (isOwned) this.tree.put(path, { ...node, permissions: [{ ...owner, domid: 0 }, ...others] }, this.domains);
			for (const name of [...node.children]) visit(childOf(path, name));
		};
		visit("/");
	}
}
