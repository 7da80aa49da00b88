import { attachUsbRequest } from "@bulkhead/api";
import { InvalidInputError } from "@bulkhead/base";
import type { Hono } from "hono";
import type { Guests } from "../guests/guests.ts";
import {
	attachUsbController,
	attachUsbDevice,
	describeUsb,
	detachUsbController,
	detachUsbDevice,
} from "../guests/usb.ts";
import type { Services } from "../services.ts";
import { readBody } from "./read-body.ts";

/** USB controllers of running guests and what is in their ports. */
export function addUsbRoutes(app: Hono, { services, guests }: { services: Services; guests: Guests }): void {
	app.get("/guests/:ref/usb", (context) => context.json(describeUsb(guests.get(context.req.param("ref")))));
	app.post("/guests/:ref/usb/controllers", async (context) => {
		const { spec } = await readBody(context, attachUsbRequest);
		return context.json(await attachUsbController(guests.get(context.req.param("ref")), services, spec));
	});
	app.delete("/guests/:ref/usb/controllers/:devid", async (context) => {
		const { ref, devid } = context.req.param();
		return context.json(await detachUsbController(guests.get(ref), services, numberIn(devid)));
	});
	app.post("/guests/:ref/usb/devices", async (context) => {
		const { spec } = await readBody(context, attachUsbRequest);
		return context.json(await attachUsbDevice(guests.get(context.req.param("ref")), services, spec));
	});
	app.delete("/guests/:ref/usb/devices/:controller/:port", async (context) => {
		const { ref, controller, port } = context.req.param();
		const place = { controller: numberIn(controller), port: numberIn(port) };
		return context.json(await detachUsbDevice(guests.get(ref), services, place));
	});
}

function numberIn(text: string): number {
	if (/^\d{1,3}$/.test(text)) return Number(text);
	throw new InvalidInputError("A USB controller and a port are numbers", { remedy: "See `bulkhead usb-list`" });
}
