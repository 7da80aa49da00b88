import { InvalidInputError } from "@bulkhead/base";
import type { CpuPool, Cpus, SchedulerName } from "@bulkhead/hypervisor";
import type { XenstoreClient } from "@bulkhead/xenstore";
import { resolveCpuSet } from "../domain/cpu-set.ts";
import { findPool, poolNamePath, poolNames } from "../domain/cpupool.ts";

export interface PoolHost {
	cpus: Cpus;
	xenstore: XenstoreClient;
}

export interface NamedPool extends CpuPool {
	name: string;
}

const POOL_NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/;

export async function listPools({ cpus, xenstore }: PoolHost): Promise<NamedPool[]> {
	const pools = await cpus.pools();
	const names = await poolNames(
		xenstore,
		pools.map(({ id }) => id),
	);
	return pools.map((pool) => ({ ...pool, name: names.get(pool.id) ?? "" }));
}

/** A new pool with processors that belong to none. When one cannot be had, there is no pool. @throws InvalidInputError, HypervisorError */
export async function createPool(
	host: PoolHost,
	{ name, scheduler, cpus = "" }: { name: string; scheduler: SchedulerName; cpus?: string },
): Promise<NamedPool> {
	if (!POOL_NAME.test(name))
		throw new InvalidInputError(`A cpupool cannot be called ${JSON.stringify(name)}`, {
			remedy: "Begin with a letter; use letters, digits, and _ . -",
		});
	if ((await listPools(host)).some((pool) => pool.name === name))
		throw new InvalidInputError(`There is a cpupool ${name} already`, {}, "name-in-use");
	const chosen = cpus === "" ? [] : resolveCpuSet(cpus, await host.cpus.topology());
	const id = await host.cpus.createPool(scheduler);
	const added: number[] = [];
	try {
		for (const cpu of chosen) {
			await host.cpus.addCpu(id, cpu);
			added.push(cpu);
		}
		await host.xenstore.write(poolNamePath(id), name);
	} catch (error) {
		for (const cpu of added) await host.cpus.removeCpu(id, cpu).catch(() => {});
		await host.cpus.destroyPool(id).catch(() => {});
		throw error;
	}
	return { id, name, scheduler, domains: 0, cpus: chosen };
}

/** Its processors belong to no pool afterwards. @throws HypervisorError EBUSY while domains run in it */
export async function destroyPool(host: PoolHost, wanted: string): Promise<void> {
	const pool = await getPool(host, wanted);
	if (pool.domains > 0)
		throw new InvalidInputError(`${pool.domains} domains run in cpupool ${pool.name}`, {
			remedy: "Move them elsewhere first: cpupool-migrate",
			fields: { pool: pool.id, domains: pool.domains },
		});
	for (const cpu of pool.cpus) await host.cpus.removeCpu(pool.id, cpu);
	await host.cpus.destroyPool(pool.id);
	await host.xenstore.remove(`/local/pool/${pool.id}`);
}

/** Adds processors to a pool, or takes them away. */
export async function changePoolCpus(
	host: PoolHost,
	wanted: string,
	change: { cpus: string; remove: boolean },
): Promise<NamedPool> {
	const { id } = await getPool(host, wanted);
	for (const cpu of resolveCpuSet(change.cpus, await host.cpus.topology()))
		await (change.remove ? host.cpus.removeCpu(id, cpu) : host.cpus.addCpu(id, cpu));
	return getPool(host, `${id}`);
}

async function getPool(host: PoolHost, wanted: string): Promise<NamedPool> {
	const id = await findPool(host, wanted);
	const pool = (await listPools(host)).find((each) => each.id === id);
	if (!pool) throw new InvalidInputError(`There is no cpupool ${JSON.stringify(wanted)}`);
	return pool;
}
