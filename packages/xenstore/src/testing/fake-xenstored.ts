import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DOM0, type DomId } from "@bulkhead/base";
import type { Permission } from "../permission.ts";
import type { Message } from "../wire/message.ts";
import type { Operation } from "../wire/operations.ts";
import { encodeStrings } from "../wire/payload.ts";
import { FakeSession } from "./fake-session.ts";
import { FakeTree, Refusal } from "./fake-tree.ts";

/**
 * xenstored for tests: nodes, transactions with conflicts, watches and the domain requests, over a real socket with the
 * real protocol. Every client is domain 0; permissions are kept but not enforced, quotas do not exist.
 */
export class FakeXenstored implements AsyncDisposable {
	readonly tree: FakeTree = new FakeTree();
	/** Requests in order of arrival: "WRITE /a/b", "TRANSACTION_START", "TRANSACTION_END T" … */
	readonly received: string[] = [];
	readonly introduced: Map<DomId, { frame: number; port: number }> = new Map();
	/** Stub domain → guest. */
	readonly targets: Map<DomId, DomId> = new Map();
	/** So many ends of transactions to come are answered with EAGAIN. */
	conflictsToCome = 0;
	readonly #directory: string;
	readonly #server: Server;
	readonly #sessions = new Set<FakeSession>();
	readonly #privileged: Partial<Record<Operation, (domid: DomId, second: DomId, third: number) => string>> = {
		INTRODUCE: (domid, frame, port) => {
			this.introduced.set(domid, { frame, port });
			this.fire("@introduceDomain");
			return "OK";
		},
		RELEASE: (domid) => {
			this.#demandIntroduced(domid);
			this.releaseDomain(domid);
			return "OK";
		},
		SET_TARGET: (stub, guest) => {
			this.#demandIntroduced(stub);
			this.#demandIntroduced(guest);
			this.targets.set(stub, guest);
			return "OK";
		},
		RESUME: (domid) => {
			this.#demandIntroduced(domid);
			return "OK";
		},
		IS_DOMAIN_INTRODUCED: (domid) => (domid === DOM0 || this.introduced.has(domid) ? "T" : "F"),
		GET_DOMAIN_PATH: (domid) => `/local/domain/${domid}`,
	};
	#held: { session: FakeSession; message: Message }[] | undefined;

	static async listen(): Promise<FakeXenstored> {
		const directory = await mkdtemp(join(tmpdir(), "fake-xenstored-"));
		const fake = new FakeXenstored(directory);
		await new Promise<void>((resolve, reject) => {
			fake.#server.once("error", reject);
			fake.#server.listen(fake.path, resolve);
		});
		return fake;
	}

	private constructor(directory: string) {
		this.#directory = directory;
		this.#server = createServer((socket) => {
			const session = new FakeSession(this, socket);
			this.#sessions.add(session);
			socket.once("close", () => this.#sessions.delete(session));
		});
	}

	/** Of the socket. */
	get path(): string {
		return join(this.#directory, "socket");
	}

	/** Writes as another domain would. */
	write(path: string, value: string, permissions?: readonly Permission[]): void {
		this.change((tree) => {
			tree.write(path, Buffer.from(value));
			if (permissions) tree.setPermissions(path, permissions);
		});
	}

	/** Removes as another domain would. */
	remove(path: string): void {
		this.change((tree) => tree.remove(path));
	}

	/** A domain has been made known: @introduceDomain fires. */
	introduceDomain(domid: DomId): void {
		this.introduced.set(domid, { frame: 0, port: 0 });
		this.fire("@introduceDomain");
	}

	/** A domain has ended: @releaseDomain fires. */
	releaseDomain(domid: DomId): void {
		this.introduced.delete(domid);
		this.fire("@releaseDomain");
	}

	/** To all watches on a path, or a special name. */
	fire(path: string): void {
		for (const session of this.#sessions) session.fire(path);
	}

	/** Requests wait unanswered until `step` or `resume`. */
	hold(): void {
		this.#held ??= [];
	}

	/** Requests that have arrived and wait. */
	get heldCount(): number {
		return this.#held?.length ?? 0;
	}

	/** Answers what has arrived, and goes on holding what comes. */
	step(): void {
		this.resume();
		this.hold();
	}

	resume(): void {
		const held = this.#held ?? [];
		this.#held = undefined;
		for (const { session, message } of held) session.answer(message);
	}

	/** Ends all connections, as a dying xenstored does. */
	dropConnections(): void {
		for (const session of this.#sessions) session.destroy();
	}

	/** Bytes to every client, for a xenstored that breaks the protocol. */
	sendRaw(bytes: Uint8Array): void {
		for (const session of this.#sessions) session.sendRaw(bytes);
	}

	/** @throws Error naming the watches and transactions that clients have left open */
	assertIdle(): void {
		const left = [...this.#sessions].flatMap(({ leftovers }) => leftovers);
		if (left.length > 0) throw new Error(`Left open: ${left.join(", ")}`);
	}

	async close(): Promise<void> {
		this.dropConnections();
		await new Promise((resolve) => this.#server.close(resolve));
		await rm(this.#directory, { recursive: true, force: true });
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.close();
	}

	/** @internal */
	handle(session: FakeSession, message: Message): void {
		if (this.#held) this.#held.push({ session, message });
		else session.answer(message);
	}

	/** @internal */
	change(act: (tree: FakeTree) => void): void {
		const fork = this.tree.fork();
		act(fork);
		this.#adopt(fork);
	}

	/** @internal */
	commit(fork: FakeTree, base: FakeTree): void {
		if (this.conflictsToCome > 0) {
			this.conflictsToCome--;
			throw new Refusal("EAGAIN");
		}
		if (!this.tree.accepts(fork, base)) throw new Refusal("EAGAIN");
		this.#adopt(fork);
	}

	/** @internal */
	performPrivileged(operation: Operation, args: readonly string[]): Buffer {
		const perform = this.#privileged[operation];
		if (!perform) throw new Refusal("ENOSYS");
		const [domid, second = DOM0] = args.map((text) => Number(text) as DomId);
		if (domid === undefined || Number.isNaN(domid)) throw new Refusal("EINVAL");
		return encodeStrings(perform(domid, second, Number(args[2])));
	}

	#demandIntroduced(domid: DomId): void {
		if (!this.introduced.has(domid)) throw new Refusal("ENOENT");
	}

	#adopt(fork: FakeTree): void {
		const { changed } = fork;
		this.tree.adopt(fork);
		for (const path of changed) {
			this.fire(path);
			if (!this.tree.find(path)) for (const session of this.#sessions) session.fireRemoved(path);
		}
	}
}
