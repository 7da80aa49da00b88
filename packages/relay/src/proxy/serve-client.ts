import { chmodSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { AsyncQueue, BulkheadError, printable } from "@bulkhead/base";
import { listen, removeSocket } from "@bulkhead/console";
import { openVchanClient } from "@bulkhead/vchan";
import { answers } from "../process/answers.ts";
import { pump } from "../stream/pump.ts";
import { findVchan } from "./find-vchan.ts";
import type { LocalPlace } from "./options.ts";
import { announce, type ProxyParts, untilGone } from "./proxy.ts";

/** Connections that wait while one is served; the kernel keeps a few more. */
const MOST_WAITING = 16;
/** A server that is there but has published nothing. */
const VCHAN_MS = 60_000;

/**
 * The vchan's client: each connection to the socket is a session, one after the other. Ends when it is asked to, when
 * the serving domain is gone, or after one session over standard input and output.
 */
export async function serveClient(parts: ProxyParts): Promise<void> {
	const { options, store, signal } = parts;
	const gone = untilGone(store, options.domid, signal);
	const stop = AbortSignal.any([signal, gone]);
	if (options.local === "stdio") {
		await announce(parts);
		await serve(parts, Duplex.from({ readable: process.stdin, writable: process.stdout }), stop);
		return;
	}
	const waiting = new AsyncQueue<Socket>({ limit: MOST_WAITING });
	const server = createServer({ pauseOnConnect: true }, (socket) => {
		socket.on("error", () => {}); // "close" follows
		if (!waiting.push(socket)) socket.destroy();
	});
	stop.addEventListener("abort", () => waiting.close(), { once: true });
	await listenAt(server, options.local);
	try {
		await announce(parts);
		for await (const socket of waiting) {
			if (stop.aborted) socket.destroy();
			else await serve(parts, socket, stop);
		}
	} finally {
		server.close();
		if ("path" in options.local) removeSocket(options.local.path);
	}
	if (gone.aborted && !signal.aborted) parts.tell(printable(String(gone.reason?.message ?? gone.reason)));
}

async function serve({ options, store, rings, tell }: ProxyParts, local: Duplex, signal: AbortSignal): Promise<void> {
	const { domid, nodePath, reconnectMarker, verbose } = options;
	try {
		const place = await findVchan({ store, domid, nodePath, timeoutMs: VCHAN_MS, signal });
		const vchan = openVchanClient({ ...rings, domid, ...place, reconnectMarker });
		if (verbose) tell(`Session with domain ${domid} begins`);
		await pump(local, vchan, signal);
		if (verbose)
			tell(
				`Session with domain ${domid} ended after ${vchan.stats.bytesWritten} bytes there and ${vchan.stats.bytesRead} back`,
			);
	} catch (error) {
		local.destroy();
		if (!signal.aborted) tell(`Session with domain ${domid} failed: ${printable(String((error as Error).message))}`);
	}
}

/** A socket that a dead one has left is replaced. @throws BulkheadError `proxy-runs-already`, `cannot-listen` */
async function listenAt(server: Server, place: Exclude<LocalPlace, "stdio">): Promise<void> {
	if ("fd" in place) {
		await new Promise<void>((resolve, reject) => {
			server.once("error", reject);
			server.listen({ fd: place.fd }, resolve);
		});
		return;
	}
	if (await answers(place.path))
		throw new BulkheadError("proxy-runs-already", `Somebody listens on ${place.path} already`, {
			remedy: "End that proxy first",
		});
	await listen(server, place.path);
	chmodSync(place.path, 0o600);
}
