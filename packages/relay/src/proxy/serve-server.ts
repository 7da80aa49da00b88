import { Socket } from "node:net";
import { Duplex } from "node:stream";
import { domId } from "@bulkhead/base";
import { openVchanServer, type VchanServer, type VchanSession } from "@bulkhead/vchan";
import { connectSocket } from "../qmp/connect-socket.ts";
import { pump } from "../stream/pump.ts";
import type { LocalPlace } from "./options.ts";
import { announce, type ProxyParts } from "./proxy.ts";

const CONNECT_MS = 5000;

/**
 * The vchan's server: for each client that comes, a connection to the socket. Ends when it is asked to, when nobody
 * listens on the socket, or after one session over a descriptor. What it has published goes with it.
 * @throws BulkheadError `cannot-connect`; HypervisorError, XenstoreError
 */
export async function serveServer(parts: ProxyParts): Promise<void> {
	const { options, store, rings, offers, signal } = parts;
	const { domid, reconnectMarker, nodePath } = options;
	let end: (error?: unknown) => void = () => {};
	const over = new Promise<void>((resolve, reject) => {
		end = (error) => (error === undefined ? resolve() : reject(error));
		signal.addEventListener("abort", () => resolve(), { once: true });
	});
	const server = openVchanServer({
		offers: offers(),
		evtchns: rings.evtchns,
		domid,
		reconnectMarker,
		onSession: (session) => {
			serve(parts, session).then((isLast) => isLast && end(), end);
		},
	});
	try {
		await publish(parts, server);
		await announce(parts);
		await over;
	} finally {
		await store.remove(nodePath).catch(() => {});
		await server.close();
	}
}

/** Answers whether there can be no other session. */
async function serve({ options, tell, signal }: ProxyParts, session: VchanSession): Promise<boolean> {
	const { domid, local, verbose } = options;
	session.on("error", () => {});
	if (verbose) tell(`Session with domain ${domid} begins`);
	await pump(await connectTo(local, signal), session, signal);
	if (verbose) tell(`Session with domain ${domid} ended`);
	return local === "stdio" || "fd" in local;
}

async function connectTo(place: LocalPlace, signal: AbortSignal): Promise<Duplex> {
	if (place === "stdio") return Duplex.from({ readable: process.stdin, writable: process.stdout });
	return "fd" in place ? new Socket({ fd: place.fd }) : connectSocket(place.path, { timeoutMs: CONNECT_MS, signal });
}

/** Owned by the serving domain, readable for the client's, in one go: a client takes their presence for the vchan's. */
async function publish({ options, store }: ProxyParts, { ringRef, port }: VchanServer): Promise<void> {
	const own = domId((await store.find("domid")) ?? "0");
	const permissions = [
		{ domid: own, access: "none" },
		{ domid: options.domid, access: "read" },
	] as const;
	await store.transaction(async (tx) => {
		await tx.put(`${options.nodePath}/ring-ref`, `${ringRef}`, permissions);
		await tx.put(`${options.nodePath}/event-channel`, `${port}`, permissions);
	});
}
