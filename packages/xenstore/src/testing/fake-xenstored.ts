import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DomId } from "@bulkhead/base";
import type { Permission } from "../permission.ts";
import { type HostView, type Ring, XenstoreServer, type XenstoreServerOptions } from "../server/index.ts";
import type { Message } from "../wire/message.ts";
import { findOperation, OPERATION } from "../wire/operations.ts";
import { decodeStrings, decodeText } from "../wire/payload.ts";
import { FakeSession } from "./fake-session.ts";

/**
 * The in-memory server with a test's hands on its wires: conflicts on demand, requests held back, broken connections,
 * and a list of what was asked. Every client of its socket is domain 0.
 */
export class FakeXenstored implements AsyncDisposable {
	readonly server: XenstoreServer;
	/** Requests in order of arrival: "WRITE /a/b", "TRANSACTION_START", "TRANSACTION_END T" … */
	readonly received: string[] = [];
	readonly introduced: Map<DomId, Ring> = new Map();
	/** Stub domain → guest. */
	readonly targets: Map<DomId, DomId> = new Map();
	/** So many ends of transactions to come are answered with EAGAIN. */
	conflictsToCome = 0;
	readonly #directory: string;
	readonly #socket: Server;
	readonly #sessions = new Set<FakeSession>();
	#held: { session: FakeSession; message: Message }[] | undefined;

	static async listen(options?: XenstoreServerOptions): Promise<FakeXenstored> {
		const directory = await mkdtemp(join(tmpdir(), "fake-xenstored-"));
		const fake = new FakeXenstored(directory, options);
		await new Promise<void>((resolve, reject) => {
			fake.#socket.once("error", reject);
			fake.#socket.listen(fake.path, resolve);
		});
		return fake;
	}

	private constructor(directory: string, options?: XenstoreServerOptions) {
		this.#directory = directory;
		this.server = new XenstoreServer(options);
		this.server.onIntroduce((domid, ring) => this.introduced.set(domid, ring));
		this.server.onRelease((domid) => this.introduced.delete(domid));
		this.server.onSetTarget((stub, guest) => this.targets.set(stub, guest));
		this.#socket = createServer((socket) => {
			const session = new FakeSession(socket, this.server.connectClient(), (...request) => this.#receive(...request));
			this.#sessions.add(session);
			socket.once("close", () => this.#sessions.delete(session));
		});
	}

	/** Of the socket. */
	get path(): string {
		return join(this.#directory, "socket");
	}

	/** What is in the store. */
	get tree(): HostView {
		return this.server.host;
	}

	/** Writes as another domain would. */
	write(path: string, value: string, permissions?: readonly Permission[]): void {
		this.tree.write(path, value, permissions);
	}

	/** Removes as another domain would. */
	remove(path: string): void {
		this.tree.remove(path);
	}

	/** A domain has been made known: @introduceDomain fires. */
	introduceDomain(domid: DomId): void {
		this.server.introduceDomain(domid);
	}

	/** A domain has ended: @releaseDomain fires. */
	releaseDomain(domid: DomId): void {
		this.server.domainGone(domid);
	}

	/** Requests wait unanswered until `step` or `resume`. */
	hold(): void {
		this.#held ??= [];
	}

	/** Requests that have arrived and wait. */
	get heldCount(): number {
		return this.#held?.length ?? 0;
	}

	/** Answers what has arrived, or so many of it, and goes on holding what comes. */
	step(count?: number): void {
		const later = this.#held?.splice(count ?? Number.POSITIVE_INFINITY) ?? [];
		this.resume();
		this.#held = later;
	}

	resume(): void {
		const held = this.#held ?? [];
		this.#held = undefined;
		for (const { session, message } of held) this.#pass(session, message);
	}

	/** Ends all connections, as a dying xenstored does. */
	dropConnections(): void {
		for (const session of this.#sessions) session.destroy();
	}

	/** Bytes to every client, for a xenstored that breaks the protocol. */
	sendRaw(bytes: Uint8Array): void {
		for (const session of this.#sessions) session.sendRaw(bytes);
	}

	/** @throws BulkheadError naming the watches and transactions that clients have left open */
	assertIdle(): void {
		this.server.assertIdle();
	}

	async close(): Promise<void> {
		this.dropConnections();
		await new Promise((resolve) => this.#socket.close(resolve));
		await this.server.close();
		await rm(this.#directory, { recursive: true, force: true });
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.close();
	}

	#receive(session: FakeSession, message: Message): void {
		if (this.#held) this.#held.push({ session, message });
		else this.#pass(session, message);
	}

	#pass(session: FakeSession, message: Message): void {
		const [first = ""] = decodeStrings(message.payload);
		const name = findOperation(message.type) ?? `${message.type}`;
		this.received.push(first === "" ? name : `${name} ${first}`);
		if (this.#isToConflict(message)) {
			this.conflictsToCome--;
			session.passAsConflict(message);
		} else {
			session.pass(message);
		}
	}

	#isToConflict({ type, payload }: Message): boolean {
		return this.conflictsToCome > 0 && type === OPERATION.TRANSACTION_END && decodeText(payload) === "T";
	}
}
