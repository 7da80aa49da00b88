import { attachDiskRequest, changeMediumRequest } from "@bulkhead/api";
import type { Hono } from "hono";
import { attachDiskTo, changeMediumOf, describeDisks, detachDiskFrom } from "../guests/disks.ts";
import type { Guests } from "../guests/guests.ts";
import type { Services } from "../services.ts";
import { readBody } from "./read-body.ts";

/** Disks of running guests. What is begun is carried to its end, also when the client goes away. */
export function addDiskRoutes(app: Hono, { services, guests }: { services: Services; guests: Guests }): void {
	app.get("/guests/:ref/disks", async (context) =>
		context.json(await describeDisks(guests.get(context.req.param("ref")), services)),
	);
	app.post("/guests/:ref/disks", async (context) => {
		const request = await readBody(context, attachDiskRequest);
		return context.json(await attachDiskTo(guests.get(context.req.param("ref")), services, request));
	});
	app.delete("/guests/:ref/disks/:vdev", async (context) => {
		const { ref, vdev } = context.req.param();
		const force = context.req.query("force") === "1";
		return context.json(await detachDiskFrom(guests.get(ref), services, vdev, { force }));
	});
	app.post("/guests/:ref/disks/:vdev/medium", async (context) => {
		const { ref, vdev } = context.req.param();
		const { path } = await readBody(context, changeMediumRequest);
		return context.json(await changeMediumOf(guests.get(ref), services, vdev, path));
	});
}
