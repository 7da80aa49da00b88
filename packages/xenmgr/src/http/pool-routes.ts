import { createPoolRequest, debugKeysRequest, movePoolRequest, poolCpusRequest } from "@bulkhead/api";
import { changePoolCpus, createPool, destroyPool, findPool, listPools } from "@bulkhead/toolstack";
import type { Hono } from "hono";
import type { Guests } from "../guests/guests.ts";
import { requireDomain } from "../guests/tuning.ts";
import type { Services } from "../services.ts";
import { readBody } from "./read-body.ts";

/** Cpupools of the host, and keys of the hypervisor's console. */
export function addPoolRoutes(app: Hono, { services, guests }: { services: Services; guests: Guests }): void {
	const { domains, cpus } = services.hypervisor;
	const host = { cpus, xenstore: services.xenstore };
	app.get("/host/pools", async (context) => context.json(await listPools(host)));
	app.post("/host/pools", async (context) =>
		context.json(await createPool(host, await readBody(context, createPoolRequest))),
	);
	app.delete("/host/pools/:pool", async (context) => {
		await destroyPool(host, context.req.param("pool"));
		return context.json({});
	});
	for (const remove of [false, true])
		app.post(`/host/pools/:pool/cpus${remove ? "/remove" : ""}`, async (context) => {
			const { cpus: set } = await readBody(context, poolCpusRequest);
			return context.json(await changePoolCpus(host, context.req.param("pool") ?? "", { cpus: set, remove }));
		});
	app.post("/guests/:ref/pool", async (context) => {
		const { pool } = await readBody(context, movePoolRequest);
		const { domid } = await requireDomain(guests.get(context.req.param("ref")), services);
		await cpus.moveDomain(domid, await findPool(host, pool));
		return context.json({});
	});
	app.post("/host/debug-keys", async (context) => {
		const { keys } = await readBody(context, debugKeysRequest);
		await domains.sendDebugKeys(keys);
		return context.json({});
	});
}
