import { attachChannelRequest } from "@bulkhead/api";
import type { Hono } from "hono";
import { attachGuestChannel, detachGuestChannel, listChannels } from "../guests/channels.ts";
import type { Guests } from "../guests/guests.ts";
import type { Services } from "../services.ts";
import type { Operations } from "./operations.ts";
import { answerWithProgress } from "./progress-stream.ts";
import { readBody } from "./read-body.ts";

/** Channels of guests that run. What is begun ends by itself, within its deadlines. */
export function addChannelRoutes(
	app: Hono,
	{ services, guests }: { services: Services; guests: Guests },
	operations: Operations,
): void {
	app.get("/guests/:ref/channels", async (context) =>
		context.json(await listChannels(guests.get(context.req.param("ref")), services)),
	);
	app.post("/guests/:ref/channels", async (context) => {
		const { spec } = await readBody(context, attachChannelRequest);
		const guest = guests.get(context.req.param("ref"));
		return answerWithProgress(context, operations, () =>
			guest.operations.run(() => attachGuestChannel(guest, services, spec)),
		);
	});
	app.delete("/guests/:ref/channels/:name", (context) => {
		const { ref, name } = context.req.param();
		const guest = guests.get(ref);
		const force = context.req.query("force") === "1";
		return answerWithProgress(context, operations, () =>
			guest.operations.run(() => detachGuestChannel(guest, services, name, { force })),
		);
	});
}
