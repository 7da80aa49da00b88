import type { Duplex } from "node:stream";
import { LIMITS } from "../wire/limits.ts";
import { OPERATION } from "../wire/operations.ts";
import { type Domain, domainPath } from "./domain.ts";
import { Inbox, type Request } from "./inbox.ts";
import { isOverMemory } from "./live-view.ts";
import { Outbox } from "./outbox.ts";
import type { Principal } from "./permissions.ts";
import type { Quotas } from "./quotas.ts";
import type { Errno } from "./refusal.ts";
import type { RequestWeight } from "./request-weight.ts";
import type { Transaction } from "./transaction.ts";
import type { Participant, Turns } from "./turns.ts";
import type { Watch, WatchTable } from "./watch-table.ts";

export interface ConnectionContext {
	readonly turns: Turns;
	readonly quotas: Quotas;
	readonly watches: WatchTable;
	/** A privileged client whose unread events grow beyond it is cut off. Bytes. */
	readonly mostUnread: number;
	handle(client: Connection, request: Request): void;
	/** The client has said all that it had to say, and been answered. */
	ended(client: Connection): void;
	/** The stream is gone, or the client has broken the protocol. */
	lost(client: Connection): void;
}

/** A client with so many bytes of answers before it is not listened to. */
const UNREAD_LIMIT = 64 * 1024;
/** Bytes taken from a client before the first of them are handled. */
const INPUT_LIMIT = 64 * 1024;
const SOCKET_BATCH = 64 * 1024;
/** XENSTORE_RING_SIZE: what a domain's ring holds each way. */
export const RING_BYTES = 1024;
/** DEFAULT_BUFFER_SIZE: answers up to this are given even at the memory quota. */
const SMALL_ANSWER = 16;
const LAST_TRANSACTION_ID = 0xffff_ffff;

/** One client: a domain, or a process of domain 0 on the socket. */
export class Connection implements Principal, Participant {
	/** Whose accounts it weighs on. */
	readonly account: Domain;
	/** It is that domain's own connection and not a socket's. */
	readonly isDomain: boolean;
	target: number | undefined;
	/** Its target, as long as that cannot be released because of it (C xenstored: a reference to the connection). */
	heldTarget: Domain | undefined;
	readonly watches: Map<string, Watch> = new Map();
	readonly transactions: Map<number, Transaction> = new Map();
	readonly #context: ConnectionContext;
	readonly #inbox = new Inbox();
	readonly #outbox: Outbox;
	#stream: Duplex | undefined;
	#hasEnded = false;
	#isIgnored = false;
	#nextTransactionId = 1;

	constructor(account: Domain, isDomain: boolean, context: ConnectionContext) {
		this.account = account;
		this.isDomain = isDomain;
		this.#context = context;
		this.#outbox = new Outbox(account, isDomain ? RING_BYTES : SOCKET_BATCH);
	}

	get domid(): number {
		return this.account.domid;
	}

	get isUnprivileged(): boolean {
		return this.account.isUnprivileged;
	}

	/** Relative paths begin here. */
	get ownPath(): string {
		return domainPath(this.domid);
	}

	get hasStream(): boolean {
		return this.#stream !== undefined;
	}

	/** Bytes that its account is charged for it: watches, transactions and what it has not read. */
	get memory(): number {
		let bytes = this.#outbox.byteLength;
		for (const { path, token } of this.watches.values()) bytes += path.length + token.length;
		for (const transaction of this.transactions.values()) bytes += transaction.memory;
		return bytes;
	}

	/** Listens to the stream from now on, and until it closes or `detach`. */
	attach(stream: Duplex): void {
		this.#stream = stream;
		this.#hasEnded = false;
		this.#outbox.attach(stream);
		stream.on("data", (chunk: Buffer) => this.#receive(stream, chunk));
		stream.on("drain", () => this.flush());
		stream.on("end", () => {
			if (stream !== this.#stream) return;
			this.#hasEnded = true;
			this.wake();
		});
		stream.on("error", () => {});
		stream.on("close", () => {
			if (stream === this.#stream) this.#context.lost(this);
		});
		if (!stream.readable) this.#hasEnded = true;
		this.wake();
	}

	/** Forgets the stream, which stays open. */
	detach(): Duplex | undefined {
		const stream = this.#stream;
		this.#stream = undefined;
		this.#hasEnded = false;
		this.#outbox.attach(undefined);
		this.#inbox.clear();
		this.#context.turns.remove(this);
		return stream;
	}

	/** Watches, transactions and everything on its way are gone. */
	reset(): void {
		this.clearWatches();
		this.clearTransactions();
		this.#inbox.clear();
		this.#outbox.clear();
	}

	/** A client that broke the protocol: a socket is closed, a domain is not listened to any more. */
	ignore(): void {
		this.#isIgnored = true;
		this.reset();
		if (!this.isDomain) this.#context.lost(this);
	}

	wake(): void {
		if (this.#inbox.length > 0 || this.#hasEnded) this.#context.turns.add(this);
	}

	takeTurn(): boolean {
		if (!this.#isHeard) return false;
		const request = this.#nextRequest();
		if (this.#stream?.isPaused() && this.#inbox.length < INPUT_LIMIT) this.#stream.resume();
		if (!request) return false;
		this.#context.handle(this, request);
		return true;
	}

	flush(): void {
		this.#outbox.flush();
		// It may have been too full to be listened to.
		this.wake();
	}

	/** Never above the protocol's limit: then it is E2BIG instead. */
	reply(request: Request, payload: string, weight: RequestWeight | undefined): void {
		const { type, requestId, transactionId } = request;
		const isTooMuch = payload.length > SMALL_ANSWER && this.#isOverMemory(LIMITS.header + payload.length);
		if (payload.length > LIMITS.payload) this.replyError(request, "E2BIG", weight);
		else if (isTooMuch) this.replyError(request, "ENOMEM", weight);
		else this.#send({ type, requestId, transactionId, payload, weight });
	}

	replyError({ requestId, transactionId }: Request, errno: Errno, weight: RequestWeight | undefined): void {
		this.#send({ type: OPERATION.ERROR, requestId, transactionId, payload: `${errno}\0`, weight });
	}

	/** Left out when too long, or when the client has the same one before it, or no memory for it. */
	sendEvent(path: string, token: string, weight: RequestWeight | undefined): void {
		const payload = `${path}\0${token}\0`;
		if (payload.length > LIMITS.payload || this.#isIgnored) return;
		if (!path.startsWith("@") && this.#outbox.isPending(payload)) return;
		if (this.#isOverMemory(LIMITS.header + payload.length)) return;
		this.#send({ type: OPERATION.WATCH_EVENT, requestId: 0, transactionId: 0, payload, weight });
		if (this.#outbox.byteLength > this.#context.mostUnread) this.ignore();
	}

	expireEvents(): void {
		this.#outbox.expireEvents();
	}

	addTransaction(transaction: Transaction): number {
		while (this.#nextTransactionId === 0 || this.transactions.has(this.#nextTransactionId)) this.#skipTransactionId();
		const id = this.#nextTransactionId;
		this.#skipTransactionId();
		this.transactions.set(id, transaction);
		return id;
	}

	removeTransaction(id: number): void {
		this.transactions.get(id)?.discard();
		this.transactions.delete(id);
	}

	addWatch(path: string, token: string, hidden: number): void {
		this.watches.set(watchKey(path, token), this.#context.watches.add(this, path, token, hidden));
		this.account.addMemory(path.length + token.length);
		if (this.isDomain) this.account.watches++;
	}

	findWatch(path: string, token: string): Watch | undefined {
		return this.watches.get(watchKey(path, token));
	}

	removeWatch(watch: Watch): void {
		const { path, token } = watch;
		if (!this.watches.delete(watchKey(path, token))) return;
		this.#context.watches.remove(watch);
		this.account.addMemory(-path.length - token.length);
		if (this.isDomain) this.account.watches--;
	}

	clearWatches(): void {
		for (const watch of this.watches.values()) this.removeWatch(watch);
	}

	clearTransactions(): void {
		for (const id of this.transactions.keys()) this.removeTransaction(id);
	}

	get #isHeard(): boolean {
		if (this.#isIgnored || this.#outbox.byteLength >= UNREAD_LIMIT) return false;
		if (!this.isUnprivileged) return true;
		return this.account.outstanding < this.#context.quotas.outstanding && !this.#isOverMemory(0);
	}

	#isOverMemory(bytes: number): boolean {
		return isOverMemory(this.#context.quotas.memory, this.account, bytes);
	}

	#receive(stream: Duplex, chunk: Buffer): void {
		if (stream !== this.#stream || this.#isIgnored) return;
		this.#inbox.push(chunk);
		if (this.#inbox.length >= INPUT_LIMIT) stream.pause();
		this.#context.turns.add(this);
	}

	#nextRequest(): Request | undefined {
		try {
			const request = this.#inbox.take();
			if (!request && this.#hasEnded) this.#finish();
			return request;
		} catch {
			this.ignore();
			return undefined;
		}
	}

	/** Once everything has left: until then the stream's `drain` brings it back here. */
	#finish(): void {
		this.#outbox.flush();
		if (this.#outbox.byteLength === 0) this.#context.ended(this);
	}

	#send(message: Parameters<Outbox["push"]>[0]): void {
		if (this.#isIgnored) return;
		this.#outbox.push(message);
		this.#context.turns.flushLater(this);
	}

	#skipTransactionId(): void {
		this.#nextTransactionId = this.#nextTransactionId === LAST_TRANSACTION_ID ? 1 : this.#nextTransactionId + 1;
	}
}

function watchKey(path: string, token: string): string {
	return `${path}\0${token}`;
}
