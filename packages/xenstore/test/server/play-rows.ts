import { domId } from "@bulkhead/base";
import { expect } from "vitest";
import { type Answer, WireClient } from "../../src/contract/histories/index.ts";
import { XenstoreServer, type XenstoreServerOptions } from "../../src/server/index.ts";
import { OPERATION, type Operation } from "../../src/wire/index.ts";

/**
 * Who asks (`0`: a socket of domain 0, `0'`: another one, `5`: domain 5; with the name of a transaction behind a slash),
 * what (payloads in the notation of docs/misc/xenstore.txt: `|` is a NUL), and what the answer is: an errno, a payload,
 * or `→ t`: a transaction's id, called t from now on.
 *
 * `hears` instead of a request: the events since the last time, in order, separated by spaces.
 * `host` instead of a client: what the host does.
 */
export type Row = readonly [who: string, asks: string, expects?: string];

/** Domain 9 never exists. */
const STRANGER = 9;

/** Plays rows on a server of their own, which knows the domains that are named in them. */
export async function playRows(rows: readonly Row[], options: XenstoreServerOptions = {}): Promise<void> {
	await using server = new XenstoreServer({ domainExists: (domid) => domid !== STRANGER, ...options });
	const clients = new Map<string, WireClient>();
	const transactions = new Map<string, number>();
	const clientOf = (name: string): WireClient => {
		const known = clients.get(name);
		if (known) return known;
		if (!name.startsWith("0")) server.introduceDomain(domId(name));
		const stream = name.startsWith("0") ? server.connectClient() : server.connectDomain(domId(name));
		const client = new WireClient(stream);
		clients.set(name, client);
		return client;
	};
	// Introduced in the order of their names: who comes first does not matter, but it should not change.
	for (const [who] of rows) if (who !== "host") clientOf(who.split("/")[0] ?? "0");
	try {
		for (const [index, [who, asks, expects = ""]] of rows.entries()) {
			const where = `row ${index}: ${who} ${asks}`;
			if (who === "host") {
				actAsHost(server, asks);
				continue;
			}
			const [name = "0", transaction = ""] = who.split("/");
			const client = clientOf(name);
			if (asks === "hears") {
				const events = (await client.settle()).map(({ path, token }) => `${path}|${token}`);
				expect(events.join(" "), where).toBe(expects);
				continue;
			}
			const [operation, payload] = splitOnce(asks, " ");
			const type = operation in OPERATION ? (operation as Operation) : Number(operation);
			const id = transaction === "" ? 0 : (transactions.get(transaction) ?? 0x7777);
			const answer = await client.ask(type, payload.replaceAll("|", "\0"), id);
			const started = /^→ (.+)$/.exec(expects)?.[1];
			if (started !== undefined && "payload" in answer)
				transactions.set(started, Number(answer.payload.replace("\0", "")));
			else expect(textOf(answer), where).toBe(expects);
		}
	} finally {
		for (const client of clients.values()) client.close();
	}
	await expect.poll(() => server.counts, { interval: 1 }).toMatchObject({ clients: 0, watches: 0, transactions: 0 });
	server.assertIdle();
}

function actAsHost(server: XenstoreServer, action: string): void {
	const [verb, domid = ""] = action.split(" ");
	if (verb === "gone") server.domainGone(domId(domid));
	else if (verb === "shutdown") server.domainShutdown(domId(domid));
	else if (verb === "introduce") server.introduceDomain(domId(domid));
	else throw new RangeError(`A host does not ${action}`);
}

function textOf(answer: Answer): string {
	if ("errno" in answer) return answer.errno;
	return answer.payload === "OK\0" ? "OK" : answer.payload.replaceAll("\0", "|");
}

function splitOnce(text: string, separator: string): [string, string] {
	const at = text.indexOf(separator);
	return at === -1 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
