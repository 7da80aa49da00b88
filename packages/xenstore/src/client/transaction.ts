import { CancelledError, ProtocolError } from "@bulkhead/base";
import type { Permission } from "../permission.ts";
import type { RequestOptions, XenstoreValue, XenstoreView } from "../view.ts";
import type { Operation } from "../wire/operations.ts";
import { decodeText, encodeStrings } from "../wire/payload.ts";
import type { Connection } from "./connection.ts";
import { NodeAccess } from "./node-access.ts";
import { retryConflicts, type TransactionOptions } from "./retry-conflicts.ts";

/**
 * Runs the body until xenstored takes its result whole. The body may fire changes without awaiting them: all are
 * awaited before the end, and one refused change fails the transaction.
 */
export function runTransaction<T>(
	connection: Connection,
	body: (tx: XenstoreView) => Promise<T>,
	options: TransactionOptions,
): Promise<T> {
	return retryConflicts(connection, options, async () => {
		const id = await startTransaction(connection, options.signal);
		const tx = new TransactionView(connection, id);
		try {
			const result = await body(tx);
			await tx.settle();
			stopIfAborted(options.signal);
			tx.close();
			await endTransaction(connection, id, "T");
			return result;
		} catch (error) {
			if (tx.close()) abandonTransaction(connection, id);
			throw error;
		}
	});
}

/** The signal is not given to the request: the id of a started transaction must be known, or it could not be ended. */
export async function startTransaction(connection: Connection, signal: AbortSignal | undefined): Promise<number> {
	stopIfAborted(signal);
	connection.stats.transactions++;
	const reply = await connection.request({ operation: "TRANSACTION_START", payload: encodeStrings("") });
	const id = Number(decodeText(reply));
	if (!Number.isInteger(id) || id <= 0 || id > 0xffff_ffff) throw new ProtocolError("Transaction has no valid id");
	if (signal?.aborted) abandonTransaction(connection, id);
	stopIfAborted(signal);
	return id;
}

/** Not to be cancelled: whether the changes took effect must be known. */
export async function endTransaction(connection: Connection, transactionId: number, verdict: "T" | "F"): Promise<void> {
	const payload = encodeStrings(verdict);
	await connection.request({ operation: "TRANSACTION_END", payload, transactionId, isRelease: true });
}

function abandonTransaction(connection: Connection, id: number): void {
	// Nobody waits for the answer: either the transaction is gone or the connection is.
	endTransaction(connection, id, "F").catch(() => {});
}

function stopIfAborted(signal: AbortSignal | undefined): void {
	if (signal?.aborted) throw new CancelledError("Stopped the transaction", { cause: signal.reason });
}

/** The tree inside one transaction; of no use after its end. */
class TransactionView extends NodeAccess {
	readonly #changes: Promise<void>[] = [];
	#isOver = false;

	/** True the first time. */
	close(): boolean {
		const wasOpen = !this.#isOver;
		this.#isOver = true;
		return wasOpen;
	}

	/** Awaits every change so far, and those made meanwhile. */
	async settle(): Promise<void> {
		for (let settled = 0; settled < this.#changes.length; ) {
			const latest = this.#changes.slice(settled);
			settled = this.#changes.length;
			await Promise.all(latest);
		}
	}

	override write(path: string, value: XenstoreValue, options?: RequestOptions): Promise<void> {
		return this.#keep(super.write(path, value, options));
	}

	override put(
		path: string,
		value: XenstoreValue,
		permissions?: readonly Permission[],
		options?: RequestOptions,
	): Promise<void> {
		return this.#keep(super.put(path, value, permissions, options));
	}

	override mkdir(path: string, options?: RequestOptions): Promise<void> {
		return this.#keep(super.mkdir(path, options));
	}

	override remove(path: string, options?: RequestOptions): Promise<void> {
		return this.#keep(super.remove(path, options));
	}

	override setPermissions(path: string, permissions: readonly Permission[], options?: RequestOptions): Promise<void> {
		return this.#keep(super.setPermissions(path, permissions, options));
	}

	protected override async ask(
		operation: Operation,
		path: string,
		payload: Buffer,
		options: RequestOptions | undefined,
	): Promise<Buffer> {
		if (this.#isOver) throw new TypeError("The transaction is over");
		return super.ask(operation, path, payload, options);
	}

	/** A change that the body does not await must fail the transaction, not the process. */
	#keep(change: Promise<void>): Promise<void> {
		change.catch(() => {});
		this.#changes.push(change);
		return change;
	}
}
