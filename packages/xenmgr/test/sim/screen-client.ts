import { once } from "node:events";
import { type IncomingHttpHeaders, request } from "node:http";
import { WebSocket } from "ws";
import type { PageAdmission } from "../../src/screen/screens.ts";

export interface Answer {
	status: number;
	headers: IncomingHttpHeaders;
	text: string;
}

/** As a browser does, or as one does not: any header can be set. */
export function ask(
	url: string,
	{ method = "GET", headers = {}, body }: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
	return new Promise((resolve, reject) => {
		const outgoing = request(url, { method, headers, agent: false }, (response) => {
			let text = "";
			response.on("data", (chunk: Buffer) => {
				text += chunk.toString();
			});
			response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
		});
		outgoing.on("error", reject);
		outgoing.end(body);
	});
}

/** Pays with a secret, as the page does. */
export function pay(pageUrl: string, secret: string, headers: Record<string, string> = {}): Promise<Answer> {
	const { origin, pathname } = new URL(pageUrl);
	return ask(`${origin}${pathname}/session`, {
		method: "POST",
		headers: { origin, "content-type": "application/json", ...headers },
		body: JSON.stringify({ secret }),
	});
}

/** What the page does with a URL that somebody was given. */
export async function enter(invitation: string): Promise<PageAdmission> {
	const { status, text } = await pay(invitation, new URL(invitation).hash.slice(1));
	if (status !== 200) throw new Error(`Not let in: ${status} ${text}`);
	return JSON.parse(text) as PageAdmission;
}

export function dialStream(
	pageUrl: string,
	{ guest, ticket }: Pick<PageAdmission, "guest" | "ticket">,
	{ stream = "socket", origin }: { stream?: string; origin?: string | null } = {},
): WebSocket {
	const url = new URL(pageUrl);
	const headers = origin === null ? {} : { origin: origin ?? url.origin };
	return new WebSocket(`ws://${url.host}/guests/${guest.uuid}/screen/${stream}`, ["binary", `ticket.${ticket}`], {
		headers,
	});
}

/** Why a WebSocket was not opened: the answer's status. */
export async function refusalOf(socket: WebSocket): Promise<number | undefined> {
	socket.on("error", () => {});
	const [, response] = (await once(socket, "unexpected-response")) as [unknown, { statusCode?: number }];
	return response.statusCode;
}

export async function closeOf(socket: WebSocket): Promise<number> {
	const [code] = (await once(socket, "close")) as [number];
	return code;
}
