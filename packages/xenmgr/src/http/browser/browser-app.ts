import { readFile } from "node:fs/promises";
import { statusOfError } from "@bulkhead/api";
import { InvalidInputError, PeerRefusedError, type SerializedError, serializeError } from "@bulkhead/base";
import type { PageFile } from "@bulkhead/web";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import * as z from "zod";
import type { Screens } from "../../screen/screens.ts";
import { readBody } from "../read-body.ts";
import { hostnameOf, type IsAllowedHost, isOwnOrigin } from "./allowed-hosts.ts";
import { STRICT_HEADERS } from "./headers.ts";

export interface BrowserAppParts {
	screens: Screens;
	files: ReadonlyMap<string, PageFile>;
	isAllowedHost: IsAllowedHost;
	scheme: "http" | "https";
}

const PAGE = "screen.html";
const MOST_BODY_BYTES = 1024;
const admissionRequest = z.object({ secret: z.string().max(64) });

/**
 * All that browsers are served: the page of a screen, its files, and its way in. Nothing of the management API. The page
 * is the same for every name, whether there is such a guest or not; only a secret opens anything.
 */
export function createBrowserApp({ screens, files, isAllowedHost, scheme }: BrowserAppParts): Hono {
	const app = new Hono();
	app.use(async (context, next) => {
		const host = context.req.header("host");
		const hostname = hostnameOf(host);
		for (const [name, value] of Object.entries(STRICT_HEADERS)) context.header(name, value);
		if (host === undefined || hostname === undefined || !isAllowedHost(hostname))
			return context.json(refusal("wrong-host", "This server is not called so"), 421);
		if (context.req.method !== "GET" && !isOwnOrigin(context.req.header("origin"), host, scheme))
			return context.json(refusal("wrong-origin", "Only this server's own page may ask for that"), 403);
		return next();
	});
	app.onError((error, context) => context.json(toStranger(error), statusOfError(error)));
	app.notFound((context) => context.json(refusal("no-such-route", "There is nothing here"), 404));
	const serve = async (name: string): Promise<Response | undefined> => {
		const file = files.get(name);
		if (!file) return undefined;
		return new Response(await readFile(file.path), { headers: { ...STRICT_HEADERS, "Content-Type": file.type } });
	};
	app.get("/guests/:ref/screen", async (context) => (await serve(PAGE)) ?? context.notFound());
	app.get(
		"/screen/*",
		async (context) => (await serve(context.req.path.slice("/screen/".length))) ?? context.notFound(),
	);
	const short = bodyLimit({
		maxSize: MOST_BODY_BYTES,
		onError: (context) => context.json(refusal("bad-request", "The request is too long"), 413),
	});
	app.post("/guests/:ref/screen/session", short, async (context) => {
		const { secret } = await readBody(context, admissionRequest);
		return context.json(screens.admit(context.req.param("ref"), secret));
	});
	return app;
}

function refusal(code: string, message: string): SerializedError {
	return serializeError(new InvalidInputError(message, {}, code));
}

/** Who is not let in hears no more than that; of faults of ours nobody hears more than that there is one. */
function toStranger(error: unknown): SerializedError {
	const isMeant = error instanceof PeerRefusedError || error instanceof InvalidInputError;
	const { code, message, remedy } = serializeError(error);
	if (isMeant || code === "too-many-screens" || code === "bad-request")
		return { code, message, ...(remedy && { remedy }) };
	return { code: "internal", message: "bulkheadd could not do that; its log says why" };
}
