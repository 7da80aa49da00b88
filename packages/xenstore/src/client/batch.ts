import { XenstoreError } from "../errors.ts";
import { xenstorePath } from "../path.ts";
import { formatPermissions, type Permission } from "../permission.ts";
import type { XenstoreValue } from "../view.ts";
import { encodeStrings, encodeWrite } from "../wire/payload.ts";
import type { Connection, Request } from "./connection.ts";
import { isMissing, toBytes } from "./node-access.ts";
import { retryConflicts, type TransactionOptions } from "./retry-conflicts.ts";
import { endTransaction, startTransaction } from "./transaction.ts";

/** Changes to be made together, in order. Bad paths and too long values are thrown at once (InvalidInputError). */
export interface XenstoreBatch {
	write(path: string, value: XenstoreValue): void;
	put(path: string, value: XenstoreValue, permissions?: readonly Permission[]): void;
	mkdir(path: string): void;
	remove(path: string): void;
	setPermissions(path: string, permissions: readonly Permission[]): void;
}

/**
 * A transaction of changes alone, in two round trips: its start, then everything with its end behind. The price: when
 * xenstored refuses one change (to a privileged client: out of memory, permissions for a node that is not there), the
 * others have taken effect all the same, and the error says so (`fields.committed`).
 */
export async function runBatch(
	connection: Connection,
	body: (batch: XenstoreBatch) => void,
	options: TransactionOptions,
): Promise<void> {
	const requests = collect(connection, body);
	if (requests.length === 0) return;
	await retryConflicts(connection, options, async () => {
		const transactionId = await startTransaction(connection, options.signal);
		const changes = requests.map((request) => connection.request({ ...request, transactionId }));
		const end = endTransaction(connection, transactionId, "T");
		const [outcomes] = await Promise.all([Promise.allSettled(changes), end]);
		const refused = outcomes.findIndex((outcome, index) => isRefused(outcome, requests[index]));
		const outcome = outcomes[refused];
		if (outcome?.status === "rejected") throw committedWithout(outcome.reason, refused);
	});
}

function isRefused(outcome: PromiseSettledResult<unknown>, request: Request | undefined): boolean {
	return outcome.status === "rejected" && !(request?.operation === "RM" && isMissing(outcome.reason));
}

function committedWithout(cause: unknown, index: number): unknown {
	if (!(cause instanceof XenstoreError)) return cause;
	const { code, message, errno, operation, path } = cause;
	return new XenstoreError(code, message, { cause, errno, operation, path, fields: { committed: true, index } });
}

function collect(connection: Connection, body: (batch: XenstoreBatch) => void): Request[] {
	const requests: Request[] = [];
	const add = (operation: Request["operation"], path: string, payload: Buffer): void => {
		const request = { operation, path, payload };
		if (payload.length > connection.payloadBytes) throw connection.tooLong(request);
		requests.push(request);
	};
	const batch: XenstoreBatch = {
		write: (path, value) => add("WRITE", path, encodeWrite(xenstorePath(path), toBytes(value))),
		put: (path, value, permissions) => {
			batch.write(path, value);
			if (permissions !== undefined) batch.setPermissions(path, permissions);
		},
		mkdir: (path) => add("MKDIR", path, encodeStrings(xenstorePath(path))),
		remove: (path) => add("RM", path, encodeStrings(xenstorePath(path))),
		setPermissions: (path, permissions) =>
			add("SET_PERMS", path, encodeStrings(xenstorePath(path), ...formatPermissions(permissions))),
	};
	body(batch);
	return requests;
}
