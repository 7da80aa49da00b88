import {
	pinRequest,
	setMemoryRequest,
	setSchedulingRequest,
	setVcpusRequest,
	sysrqRequest,
	triggerRequest,
} from "@bulkhead/api";
import type { Hono } from "hono";
import type { Guest } from "../guests/guest.ts";
import type { Guests } from "../guests/guests.ts";
import {
	describeScheduling,
	describeVcpus,
	pinGuest,
	sendSysrq,
	setGuestMemory,
	setGuestScheduling,
	setGuestVcpus,
	triggerGuest,
} from "../guests/tuning.ts";
import type { Services } from "../services.ts";
import { readBody } from "./read-body.ts";

/** Processors, memory and signals of running guests. What is changed here lasts until the guest's next start. */
export function addTuningRoutes(app: Hono, { services, guests }: { services: Services; guests: Guests }): void {
	const guestOf = (context: { req: { param(name: "ref"): string } }): Guest => guests.get(context.req.param("ref"));
	app.get("/guests/:ref/vcpus", async (context) => context.json(await describeVcpus(guestOf(context), services)));
	app.post("/guests/:ref/vcpus", async (context) => {
		const { count } = await readBody(context, setVcpusRequest);
		await setGuestVcpus(guestOf(context), services, count);
		return context.json({});
	});
	app.post("/guests/:ref/vcpus/pin", async (context) => {
		await pinGuest(guestOf(context), services, await readBody(context, pinRequest));
		return context.json({});
	});
	app.post("/guests/:ref/memory", async (context) => {
		const request = await readBody(context, setMemoryRequest);
		await setGuestMemory(guestOf(context), services, request);
		return context.json({});
	});
	app.get("/guests/:ref/scheduling", async (context) =>
		context.json(await describeScheduling(guestOf(context), services)),
	);
	app.post("/guests/:ref/scheduling", async (context) => {
		const request = await readBody(context, setSchedulingRequest);
		return context.json(await setGuestScheduling(guestOf(context), services, request));
	});
	app.post("/guests/:ref/trigger", async (context) => {
		const request = await readBody(context, triggerRequest);
		await triggerGuest(guestOf(context), services, request);
		return context.json({});
	});
	app.post("/guests/:ref/sysrq", async (context) => {
		const { key } = await readBody(context, sysrqRequest);
		await sendSysrq(guestOf(context), services, key);
		return context.json({});
	});
}
