import type { DomId, Uuid } from "@bulkhead/base";
import type { ToolstackContext } from "../context.ts";
import type { CreateSettings } from "../plan/domain-settings.ts";
import { findPool } from "./cpupool.ts";

/** Has Xen make a domain, with the cpupool and the security label looked up by their names. */
export async function createDomain(
	{ hypervisor: { domains, cpus }, xenstore }: Pick<ToolstackContext, "hypervisor" | "xenstore">,
	uuid: Uuid,
	{ pool, securityLabel, ...settings }: CreateSettings,
): Promise<DomId> {
	const cpupool = pool === undefined ? undefined : await findPool({ xenstore, cpus }, pool);
	const ssidref = securityLabel === undefined ? undefined : await domains.securityId(securityLabel);
	return domains.create({
		...settings,
		uuid,
		...(cpupool !== undefined && { cpupool }),
		...(ssidref !== undefined && { ssidref }),
	});
}
