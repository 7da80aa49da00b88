import { DOM0, type DomId } from "@bulkhead/base";
import type { XenstoreValue } from "@bulkhead/xenstore";
import type { NodeTree } from "../domain/node-tree.ts";
import { ownedBy, readableBy } from "../domain/permissions.ts";

/** States of a xenbus device's two ends (io/xenbus.h). */
export const XENBUS_STATE = {
	unknown: 0,
	initialising: 1,
	initWait: 2,
	initialised: 3,
	connected: 4,
	closing: 5,
	closed: 6,
} as const;

/**
 * A device's node on the frontend's side: the domain owns it and `own`, but may only read where its backend is and
 * what `fixed` holds (libxl lets it write the former too).
 */
export function frontend(
	domid: DomId,
	backend: string,
	own: Readonly<Record<string, XenstoreValue>>,
	fixed: Readonly<Record<string, XenstoreValue>> = {},
	backendDomid: DomId = DOM0,
): NodeTree {
	const readable = Object.entries({ backend, "backend-id": backendDomid, ...fixed }).map(
		([key, value]) => [key, { value, permissions: readableBy(domid) }] as const,
	);
	return { permissions: ownedBy(domid, backendDomid), children: { ...Object.fromEntries(readable), ...own } };
}
