import { attachNicRequest } from "@bulkhead/api";
import type { Hono } from "hono";
import type { Guests } from "../guests/guests.ts";
import { attachGuestNic, detachGuestNic, listNics } from "../guests/nics.ts";
import type { Services } from "../services.ts";
import type { Operations } from "./operations.ts";
import { answerWithProgress } from "./progress-stream.ts";
import { readBody } from "./read-body.ts";

/** Network interfaces of guests that run. */
export function addNicRoutes(
	app: Hono,
	{ services, guests }: { services: Services; guests: Guests },
	operations: Operations,
): void {
	app.get("/guests/:ref/nics", async (context) =>
		context.json(await listNics(guests.get(context.req.param("ref")), services)),
	);
	app.post("/guests/:ref/nics", async (context) => {
		const { spec } = await readBody(context, attachNicRequest);
		const guest = guests.get(context.req.param("ref"));
		return answerWithProgress(context, operations, (_, signal) =>
			guest.operations.run(() => attachGuestNic(guest, services, spec, signal)),
		);
	});
	app.delete("/guests/:ref/nics/:nic", (context) => {
		const { ref, nic } = context.req.param();
		const guest = guests.get(ref);
		const force = context.req.query("force") === "1";
		// Never cancelled half way: it ends by itself, within its deadlines.
		return answerWithProgress(context, operations, () =>
			guest.operations.run(() => detachGuestNic(guest, services, nic, { force })),
		);
	});
}
