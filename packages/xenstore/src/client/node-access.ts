import { isRefusal } from "../errors.ts";
import { watchPath, xenstorePath } from "../path.ts";
import { formatPermissions, type Permission, parsePermission } from "../permission.ts";
import type { RequestOptions, XenstoreValue, XenstoreView } from "../view.ts";
import type { Operation } from "../wire/operations.ts";
import { decodeStrings, encodeStrings, encodeWrite } from "../wire/payload.ts";
import type { Connection } from "./connection.ts";
import { listInParts } from "./list-in-parts.ts";

/** The tree through one connection, inside a transaction or (id 0) outside. */
export class NodeAccess implements XenstoreView {
	protected readonly connection: Connection;
	readonly #transactionId: number;

	constructor(connection: Connection, transactionId: number) {
		this.connection = connection;
		this.#transactionId = transactionId;
	}

	async read(path: string, options?: RequestOptions): Promise<Buffer> {
		// Awaited here: a promise that an async function returns costs two more turns of the microtask queue.
		return await this.ask("READ", path, encodeStrings(xenstorePath(path)), options);
	}

	async readText(path: string, options?: RequestOptions): Promise<string> {
		return (await this.read(path, options)).toString("utf8");
	}

	async find(path: string, options?: RequestOptions): Promise<string | undefined> {
		return unlessMissing(this.readText(path, options));
	}

	async write(path: string, value: XenstoreValue, options?: RequestOptions): Promise<void> {
		await this.ask("WRITE", path, encodeWrite(xenstorePath(path), toBytes(value)), options);
	}

	async put(
		path: string,
		value: XenstoreValue,
		permissions?: readonly Permission[],
		options?: RequestOptions,
	): Promise<void> {
		const written = this.write(path, value, options);
		await (permissions === undefined
			? written
			: Promise.all([written, this.setPermissions(path, permissions, options)]));
	}

	async mkdir(path: string, options?: RequestOptions): Promise<void> {
		await this.ask("MKDIR", path, encodeStrings(xenstorePath(path)), options);
	}

	async remove(path: string, options?: RequestOptions): Promise<void> {
		// ENOENT comes only when the parent is missing too: what was asked for is so already.
		await unlessMissing(this.ask("RM", path, encodeStrings(xenstorePath(path)), options));
	}

	async list(path: string, options?: RequestOptions): Promise<string[]> {
		const asked = xenstorePath(path);
		try {
			return decodeStrings(await this.ask("DIRECTORY", path, encodeStrings(asked), options));
		} catch (error) {
			if (!isRefusal(error, "E2BIG")) throw error;
		}
		return listInParts(asked, (offset) => this.ask("DIRECTORY_PART", path, encodeStrings(asked, offset), options));
	}

	async findList(path: string, options?: RequestOptions): Promise<string[] | undefined> {
		return unlessMissing(this.list(path, options));
	}

	async permissions(path: string, options?: RequestOptions): Promise<Permission[]> {
		const reply = await this.ask("GET_PERMS", path, encodeStrings(watchPath(path)), options);
		return decodeStrings(reply).map(parsePermission);
	}

	async setPermissions(path: string, permissions: readonly Permission[], options?: RequestOptions): Promise<void> {
		const payload = encodeStrings(watchPath(path), ...formatPermissions(permissions));
		await this.ask("SET_PERMS", path, payload, options);
	}

	/** One request about a path. */
	protected ask(
		operation: Operation,
		path: string,
		payload: Buffer,
		options: RequestOptions | undefined,
	): Promise<Buffer> {
		return this.connection.request({ operation, path, payload, transactionId: this.#transactionId }, options);
	}
}

async function unlessMissing<T>(reply: Promise<T>): Promise<T | undefined> {
	try {
		return await reply;
	} catch (error) {
		if (isMissing(error)) return undefined;
		throw error;
	}
}

export function isMissing(error: unknown): boolean {
	return isRefusal(error, "ENOENT");
}

export function toBytes(value: XenstoreValue): Uint8Array {
	return typeof value === "object" ? value : Buffer.from(`${value}`, "utf8");
}
