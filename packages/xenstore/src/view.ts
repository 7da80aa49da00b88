import type { Permission } from "./permission.ts";

/** Text and numbers are written as UTF-8 text, bytes as they are. */
export type XenstoreValue = string | number | Uint8Array;

export interface RequestOptions {
	/** Stops the wait, not the request: xenstored may still carry it out, its reply is ignored. */
	signal?: AbortSignal;
}

/**
 * The tree as a client or a transaction sees it. Requests are sent in the order of the calls, without waiting for
 * replies, and xenstored handles them in that order: several may be fired and awaited together.
 *
 * Every method throws InvalidInputError (as a rejection) for a bad path or a too long value, XenstoreError when
 * xenstored refuses or is lost, CancelledError, and DeadlineError when xenstored does not answer.
 */
export interface XenstoreView {
	/** At most 4096 bytes. */
	read(path: string, options?: RequestOptions): Promise<Buffer>;
	/** As UTF-8; bytes that are not become U+FFFD. Nodes that other domains write hold untrusted text. */
	readText(path: string, options?: RequestOptions): Promise<string>;
	/** The text, or undefined when there is no such node. */
	find(path: string, options?: RequestOptions): Promise<string | undefined>;
	/** Creates the node, and parents, when missing. A new node inherits its parent's permissions. */
	write(path: string, value: XenstoreValue, options?: RequestOptions): Promise<void>;
	/** `write`, then `setPermissions` when given: two requests, sent together. */
	put(path: string, value: XenstoreValue, permissions?: readonly Permission[], options?: RequestOptions): Promise<void>;
	/** An existing node is left as it is. */
	mkdir(path: string, options?: RequestOptions): Promise<void>;
	/** With everything below. A missing node is fine. */
	remove(path: string, options?: RequestOptions): Promise<void>;
	/** Names of the children, in xenstored's order. Long lists are fetched in parts. */
	list(path: string, options?: RequestOptions): Promise<string[]>;
	/** Names of the children, or undefined when there is no such node. */
	findList(path: string, options?: RequestOptions): Promise<string[] | undefined>;
	permissions(path: string, options?: RequestOptions): Promise<Permission[]>;
	setPermissions(path: string, permissions: readonly Permission[], options?: RequestOptions): Promise<void>;
}
