import type { DomId, Uuid } from "@bulkhead/base";
import type { XenstoreClient } from "@bulkhead/xenstore";
import { BACKEND_KINDS, backendsPath, domainPath, toolstackPath, vmPath } from "./paths.ts";

/** Removes everything that xenstore holds of a domain, backends and emptied parents included. Safe to repeat. */
export async function removeNodes(store: XenstoreClient, id: Uuid, domid: DomId | undefined): Promise<void> {
	await store.transaction(async (tx) => {
		await tx.remove(vmPath(id));
		if (domid === undefined) return;
		await Promise.all([
			tx.remove(domainPath(domid)),
			tx.remove(toolstackPath(domid)),
			...BACKEND_KINDS.map((kind) => tx.remove(backendsPath(domid, kind))),
		]);
		await Promise.all(BACKEND_KINDS.map((kind) => removeIfEmpty(tx, backendsPath(domid, kind).replace(/\/\d+$/, ""))));
		await removeIfEmpty(tx, "/local/domain/0/backend");
	});
	for (const parent of ["/vm", "/libxl"]) await store.transaction((tx) => removeIfEmpty(tx, parent));
}

/** Removes a domain's backends: their drivers let go of the domain's pages and of the host's devices. */
export async function removeBackends(store: XenstoreClient, domid: DomId): Promise<void> {
	await Promise.all(BACKEND_KINDS.map((kind) => store.remove(backendsPath(domid, kind))));
}

/** Missing is fine. */
export async function removeIfEmpty(store: Pick<XenstoreClient, "findList" | "remove">, path: string): Promise<void> {
	const children = await store.findList(path);
	if (children?.length === 0) await store.remove(path);
}
