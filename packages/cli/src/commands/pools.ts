import type { CreatePoolRequest, Pool } from "@bulkhead/api/client";
import { InvalidInputError } from "@bulkhead/base";
import type { CommandContext } from "../command-context.ts";
import { poolTable } from "../output/cpu-tables.ts";

export async function poolList(context: CommandContext, name: string | undefined, cpus: boolean): Promise<void> {
	const pools = (await context.client.pools()).filter((pool) => name === undefined || pool.name === name);
	if (context.json) context.printJson(pools);
	else context.print(poolTable(pools, cpus));
}

/** Settings as xl takes them on its command line: name="lab" sched="credit" cpus="2-3". @throws InvalidInputError */
export function readPoolSettings(settings: readonly string[]): CreatePoolRequest {
	const values: Record<string, string> = {};
	for (const setting of settings) {
		const { key, value } = /^(?<key>name|sched|cpus)\s*=\s*(?<value>.+)$/.exec(setting)?.groups ?? {};
		if (key === undefined || value === undefined)
			throw new InvalidInputError(`${JSON.stringify(setting)} is no setting of a cpupool`, {
				remedy: 'Use name="…", sched="…" and cpus="…"',
			});
		values[key] = value.replaceAll(/^[["'\s]+|[\]"'\s]+$/g, "").replaceAll(/["'\s]/g, "");
	}
	const { name, sched = "credit2", cpus } = values;
	if (!name) throw new InvalidInputError("A cpupool needs a name", { remedy: 'Give name="…"' });
	if (sched !== "credit" && sched !== "credit2" && sched !== "rtds" && sched !== "null")
		throw new InvalidInputError(`There is no scheduler ${sched}`, { remedy: "Use credit, credit2, rtds or null" });
	return { name, scheduler: sched, ...(cpus && { cpus }) };
}

export async function poolCreate(context: CommandContext, settings: readonly string[]): Promise<void> {
	const pool = await context.client.createPool(readPoolSettings(settings));
	report(context, pool, `Using cpupool ${pool.name}, number ${pool.id}`);
}

export async function poolDestroy(context: CommandContext, pool: string): Promise<void> {
	await context.client.destroyPool(pool);
	if (context.json) context.printJson({ pool });
}

export async function poolCpus(context: CommandContext, pool: string, cpus: string, remove: boolean): Promise<void> {
	const changed = await context.client.changePoolCpus(pool, cpus, { remove });
	if (context.json) context.printJson(changed);
}

export async function poolMigrate(context: CommandContext, ref: string, pool: string): Promise<void> {
	await context.client.moveToPool(ref, pool);
	if (context.json) context.printJson({ pool });
}

function report(context: CommandContext, pool: Pool, sentence: string): void {
	if (context.json) context.printJson(pool);
	else context.print(sentence);
}
