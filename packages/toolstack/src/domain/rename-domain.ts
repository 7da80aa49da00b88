import type { Uuid } from "@bulkhead/base";
import type { Hypervisor } from "@bulkhead/hypervisor";
import type { XenstoreClient } from "@bulkhead/xenstore";
import { type DomainRuntime, provided } from "../runtime.ts";
import { writeNodes } from "./node-tree.ts";
import { domainPath, vmPath } from "./paths.ts";
import { readableBy } from "./permissions.ts";

/** Gives a domain another identity (libxl_domain_preserve): its old uuid and name are free for another one. */
export async function renameDomain(
	{ xenstore, hypervisor }: { xenstore: XenstoreClient; hypervisor: Pick<Hypervisor, "domains"> },
	domain: DomainRuntime,
	{ uuid, name }: { uuid: Uuid; name: string },
): Promise<void> {
	const domid = provided(domain.domid, "domid");
	await xenstore.transaction((tx) =>
		Promise.all([
			writeNodes(tx, vmPath(uuid), { permissions: readableBy(domid), children: { name, uuid } }),
			tx.write(`${domainPath(domid)}/vm`, vmPath(uuid)),
			tx.write(`${domainPath(domid)}/name`, name),
			tx.remove(vmPath(domain.uuid)),
		]),
	);
	await hypervisor.domains.setHandle(domid, uuid);
}
