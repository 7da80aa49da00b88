import { DOM0, type DomId, domId, InvalidInputError, printable } from "@bulkhead/base";
import type { XenstoreClient } from "@bulkhead/xenstore";
import { domainPath } from "./domain/paths.ts";

/** The domain that a device's backend= names does not exist. Nothing has been created. */
export class NoBackendDomainError extends InvalidInputError {
	constructor(backend: string) {
		super(
			`There is no domain ${printable(JSON.stringify(backend), 80)} to serve a device`,
			{
				remedy: "Start the driver domain first (driver_domain=1 in its config), or leave backend= out",
				fields: { backend },
			},
			"no-backend-domain",
		);
	}
}

/**
 * The number of the domain that a config's backend= names; undefined: domain 0. Names are nodes that only domain 0 writes.
 * @throws NoBackendDomainError
 */
export async function findBackend(
	backend: string | undefined,
	store: Pick<XenstoreClient, "find" | "findList">,
): Promise<DomId | undefined> {
	if (backend === undefined) return undefined;
	for (const text of (await store.findList("/local/domain")) ?? []) {
		const domid = domId(text);
		if (text !== backend && (await store.find(`${domainPath(domid)}/name`)) !== backend) continue;
		return domid === DOM0 ? undefined : domid;
	}
	throw new NoBackendDomainError(backend);
}
