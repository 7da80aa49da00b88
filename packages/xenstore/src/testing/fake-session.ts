import type { Socket } from "node:net";
import { domId } from "@bulkhead/base";
import { findPathFault } from "../path.ts";
import { formatPermission, parsePermission } from "../permission.ts";
import { encodeMessage, type Message } from "../wire/message.ts";
import { MessageParser } from "../wire/message-parser.ts";
import { findOperation, OPERATION, type Operation } from "../wire/operations.ts";
import { decodeStrings, encodeStrings } from "../wire/payload.ts";
import { encodeChildren, encodeChildrenPart, type FakeTree, Refusal } from "./fake-tree.ts";
import type { FakeXenstored } from "./fake-xenstored.ts";

const OK = encodeStrings("OK");

const ASKING = ["READ", "DIRECTORY", "DIRECTORY_PART", "GET_PERMS"] as const satisfies Operation[];
const CHANGING = ["WRITE", "MKDIR", "RM", "SET_PERMS"] as const satisfies Operation[];

interface Transaction {
	base: FakeTree;
	tree: FakeTree;
}

/** One client's connection to the fake. */
export class FakeSession {
	readonly #server: FakeXenstored;
	readonly #socket: Socket;
	readonly #parser = new MessageParser();
	readonly #watches = new Map<string, string>();
	readonly #transactions = new Map<number, Transaction>();
	#lastTransaction = 0;

	constructor(server: FakeXenstored, socket: Socket) {
		this.#server = server;
		this.#socket = socket;
		socket.on("error", () => {});
		socket.on("data", (chunk) => {
			try {
				this.#parser.push(chunk, (message) => this.#server.handle(this, message));
			} catch {
				socket.destroy();
			}
		});
	}

	/** What the client has left open, as words. */
	get leftovers(): string[] {
		return [
			...[...this.#watches.values()].map((path) => `watch on ${path}`),
			...[...this.#transactions.keys()].map((id) => `transaction ${id}`),
		];
	}

	destroy(): void {
		this.#socket.destroy();
	}

	/** Bytes of a broken xenstored. */
	sendRaw(bytes: Uint8Array): void {
		this.#socket.write(bytes);
	}

	answer(message: Message): void {
		const { requestId, transactionId } = message;
		try {
			const payload = this.#perform(message);
			this.#send({ type: message.type, requestId, transactionId, payload });
			if (message.type === OPERATION.WATCH) this.#sendFirstEvent(message);
		} catch (error) {
			if (!(error instanceof Refusal)) throw error;
			this.#send({ type: OPERATION.ERROR, requestId, transactionId, payload: encodeStrings(error.errno) });
		}
	}

	/** Sends events for a changed path, or for a special name. */
	fire(changed: string): void {
		for (const [key, path] of this.#watches)
			if (path === changed || path === "/" || changed.startsWith(`${path}/`)) this.#sendEvent(key, changed);
	}

	/** A removed tree concerns the watches below it too. */
	fireRemoved(removed: string): void {
		for (const [key, path] of this.#watches) if (path.startsWith(`${removed}/`)) this.#sendEvent(key, path);
	}

	#sendFirstEvent({ payload }: Message): void {
		const [path = "", token = ""] = decodeStrings(payload);
		this.#sendEvent(`${path}\0${token}`, path);
	}

	#sendEvent(key: string, path: string): void {
		const token = key.slice(key.indexOf("\0") + 1);
		const payload = encodeStrings(path, token);
		this.#send({ type: OPERATION.WATCH_EVENT, requestId: 0, transactionId: 0, payload });
	}

	#send(message: Message): void {
		if (!this.#socket.destroyed) this.#socket.write(encodeMessage(message));
	}

	#perform({ type, transactionId, payload }: Message): Buffer {
		const operation = findOperation(type);
		if (operation === undefined) throw new Refusal("ENOSYS");
		const [first = "", ...rest] = decodeStrings(payload);
		this.#server.received.push(first === "" ? operation : `${operation} ${first}`);
		if (isOneOf(operation, ASKING)) return this.#ask(operation, this.#treeOf(transactionId), checkedPath(first), rest);
		if (isOneOf(operation, CHANGING)) return this.#change(operation, transactionId, checkedPath(first), payload, rest);
		if (operation === "WATCH") return this.#watch(first, rest);
		if (operation === "UNWATCH") return this.#unwatch(first, rest);
		if (operation === "TRANSACTION_START") return this.#startTransaction(transactionId);
		if (operation === "TRANSACTION_END") return this.#endTransaction(transactionId, first);
		if (operation !== "RESET_WATCHES") return this.#server.performPrivileged(operation, [first, ...rest]);
		this.#watches.clear();
		return OK;
	}

	#treeOf(transactionId: number): FakeTree {
		if (transactionId === 0) return this.#server.tree;
		const transaction = this.#transactions.get(transactionId);
		if (!transaction) throw new Refusal("ENOENT");
		return transaction.tree;
	}

	#ask(operation: (typeof ASKING)[number], tree: FakeTree, path: string, [offset]: string[]): Buffer {
		const node = tree.get(path);
		if (operation === "READ") return node.value;
		if (operation === "DIRECTORY") return encodeChildren(node);
		if (operation === "GET_PERMS") return encodeStrings(...node.permissions.map(formatPermission));
		return encodeChildrenPart(node, Number(offset));
	}

	#change(
		operation: (typeof CHANGING)[number],
		transactionId: number,
		path: string,
		payload: Buffer,
		rest: string[],
	): Buffer {
		const act = (tree: FakeTree): void => {
			if (operation === "WRITE") tree.write(path, Buffer.from(payload.subarray(Buffer.byteLength(path) + 1)));
			else if (operation === "MKDIR") tree.mkdir(path);
			else if (operation === "RM") tree.remove(path);
			else tree.setPermissions(path, rest.map(parsePermission));
		};
		if (transactionId === 0) this.#server.change(act);
		else act(this.#treeOf(transactionId));
		return OK;
	}

	#watch(path: string, [token]: string[]): Buffer {
		if (!path.startsWith("@")) checkedPath(path);
		if (token === undefined) throw new Refusal("EINVAL");
		const key = `${path}\0${token}`;
		if (this.#watches.has(key)) throw new Refusal("EEXIST");
		this.#watches.set(key, path);
		return OK;
	}

	#unwatch(path: string, [token]: string[]): Buffer {
		if (!this.#watches.delete(`${path}\0${token}`)) throw new Refusal("ENOENT");
		return OK;
	}

	#startTransaction(transactionId: number): Buffer {
		if (transactionId !== 0) throw new Refusal("EBUSY");
		const id = ++this.#lastTransaction;
		this.#transactions.set(id, { base: this.#server.tree.fork(), tree: this.#server.tree.fork() });
		return encodeStrings(id);
	}

	#endTransaction(transactionId: number, verdict: string): Buffer {
		const transaction = this.#transactions.get(transactionId);
		if (!transaction) throw new Refusal("ENOENT");
		if (verdict !== "T" && verdict !== "F") throw new Refusal("EINVAL");
		this.#transactions.delete(transactionId);
		if (verdict === "T") this.#server.commit(transaction.tree, transaction.base);
		return OK;
	}
}

function checkedPath(path: string): string {
	if (findPathFault(path) !== undefined) throw new Refusal("EINVAL");
	return path.startsWith("/") ? path : `/local/domain/${domId(0)}/${path}`;
}

function isOneOf<T extends Operation>(operation: Operation, group: readonly T[]): operation is T {
	return (group as readonly Operation[]).includes(operation);
}
