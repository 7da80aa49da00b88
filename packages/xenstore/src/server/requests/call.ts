import { LIMITS } from "../../wire/limits.ts";
import type { Operation } from "../../wire/operations.ts";
import type { Connection } from "../connection.ts";
import type { Request } from "../inbox.ts";
import { canonicalPath } from "../node-path.ts";
import { refuse } from "../refusal.ts";
import type { RequestWeight } from "../request-weight.ts";
import type { Transaction } from "../transaction.ts";
import type { TreeView } from "../tree-view.ts";
import type { Xenstored } from "../xenstored.ts";

/** One request while it is carried out. */
export interface Call {
	readonly server: Xenstored;
	readonly client: Connection;
	readonly request: Request;
	readonly transaction: Transaction | undefined;
	/** Inside the transaction, if there is one. */
	readonly view: TreeView;
	/** Of an unprivileged domain's request. */
	readonly weight: RequestWeight | undefined;
}

/** Answers the call itself, or is answered for by an errno. @throws Refusal */
export type Handler = (call: Call) => void;

export interface RequestKind {
	readonly handle: Handler;
	/** For domain 0 alone. */
	readonly isPrivileged?: boolean;
	/** The transaction id in its header means nothing. */
	readonly ignoresTransaction?: boolean;
}

export type RequestTable<Names extends Operation> = Readonly<Record<Names, RequestKind>>;

export function reply({ client, request, weight }: Call, payload: string): void {
	client.reply(request, payload, weight);
}

export function acknowledge(call: Call): void {
	reply(call, "OK\0");
}

/** The payload's strings that end with a NUL; what follows the last NUL is left out. */
export function stringsOf({ request: { payload } }: Call): string[] {
	const end = payload.lastIndexOf(0);
	return end === -1 ? [] : payload.toString("latin1", 0, end).split("\0");
}

/** The payload must be one string with one NUL, at its end. @throws Refusal EINVAL */
export function onlyString({ request: { payload } }: Call): string {
	const end = payload.indexOf(0);
	if (end === -1 || end !== payload.length - 1) refuse("EINVAL");
	return payload.toString("latin1", 0, end);
}

/** Not checked yet. */
export function absolute({ client }: Call, path: string): string {
	return canonicalPath(path, client.ownPath);
}

/** Special names may be watched whatever they are (check_watch_path). */
export function isSpecial(path: string): boolean {
	return path.startsWith("@");
}

export const LONGEST_SPECIAL_NAME: number = LIMITS.relativePath;
