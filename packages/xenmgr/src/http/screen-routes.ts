import type { Hono } from "hono";
import type { Guests } from "../guests/guests.ts";
import { requireDomid } from "../guests/power.ts";
import type { Screens } from "../screen/screens.ts";

/** Where a guest's screen is, and ways in for browsers. */
export function addScreenRoutes(app: Hono, { guests, screens }: { guests: Guests; screens: Screens }): void {
	app.get("/guests/:ref/screen", (context) => context.json(screens.describe(guests.get(context.req.param("ref")))));
	app.post("/guests/:ref/screen", (context) => {
		const guest = guests.get(context.req.param("ref"));
		requireDomid(guest);
		return context.json(screens.invite(guest));
	});
}
