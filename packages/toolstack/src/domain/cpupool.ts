import { InvalidInputError } from "@bulkhead/base";
import type { Cpus } from "@bulkhead/hypervisor";
import type { XenstoreView } from "@bulkhead/xenstore";

/** Where libxl keeps a cpupool's name: Xen knows numbers only. */
export const poolNamePath = (pool: number): string => `/local/pool/${pool}/name`;

/** Xen's first pool has this name until somebody gives it another. */
const FIRST_POOL = "Pool-0";

export async function poolNames(
	store: Pick<XenstoreView, "find">,
	pools: readonly number[],
): Promise<Map<number, string>> {
	const names = await Promise.all(
		pools.map(
			async (pool) => [pool, (await store.find(poolNamePath(pool))) ?? (pool === 0 ? FIRST_POOL : "")] as const,
		),
	);
	return new Map(names);
}

/** The number of a pool that is given by name or number. @throws InvalidInputError */
export async function findPool(
	host: { xenstore: Pick<XenstoreView, "find">; cpus: Cpus },
	wanted: string,
): Promise<number> {
	const pools = (await host.cpus.pools()).map(({ id }) => id);
	const names = await poolNames(host.xenstore, pools);
	const found = pools.find((id) => names.get(id) === wanted) ?? pools.find((id) => `${id}` === wanted);
	if (found !== undefined) return found;
	throw new InvalidInputError(`There is no cpupool ${JSON.stringify(wanted)}`, {
		remedy: `Use one of: ${[...names.values()].filter(Boolean).join(", ")}`,
		fields: { pool: wanted },
	});
}
