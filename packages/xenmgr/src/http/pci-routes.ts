import { attachPciRequest, makeAssignableRequest } from "@bulkhead/api";
import { findAssignable, listAssignable, makeAssignable, makeUnassignable } from "@bulkhead/toolstack";
import type { Hono } from "hono";
import type { Guests } from "../guests/guests.ts";
import { attachPciTo, describePci, detachPciFrom } from "../guests/pci.ts";
import type { Services } from "../services.ts";
import { readBody } from "./read-body.ts";

/** PCI devices: which domain 0 gives away, and who has them. */
export function addPciRoutes(app: Hono, { services, guests }: { services: Services; guests: Guests }): void {
	app.get("/host/pci", async (context) => context.json(await listAssignable(services)));
	app.post("/host/pci", async (context) => {
		const { address, name } = await readBody(context, makeAssignableRequest);
		await makeAssignable(services, address, name);
		return context.json(await findAssignable(services, address));
	});
	app.delete("/host/pci/:place", async (context) => {
		const rebind = context.req.query("rebind") === "1";
		return context.json({ address: await makeUnassignable(services, context.req.param("place"), { rebind }) });
	});
	app.get("/guests/:ref/pci", (context) => context.json(describePci(guests.get(context.req.param("ref")))));
	app.post("/guests/:ref/pci", async (context) => {
		const { spec } = await readBody(context, attachPciRequest);
		return context.json(await attachPciTo(guests.get(context.req.param("ref")), services, spec));
	});
	app.delete("/guests/:ref/pci/:place", async (context) => {
		const { ref, place } = context.req.param();
		const force = context.req.query("force") === "1";
		return context.json(await detachPciFrom(guests.get(ref), services, place, { force }));
	});
}
