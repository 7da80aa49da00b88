import { once } from "node:events";
import type { Server } from "node:net";
import { BulkheadError } from "@bulkhead/base";
import type { ListenerInbox } from "@bulkhead/hypervisor";

export interface ServeHanded {
	inbox: ListenerInbox;
	token: string;
	/** Made once the socket is there. */
	makeServer: () => Server;
	/** What listens, for errors: "channel". */
	what: string;
}

/**
 * A server on a listening socket that was handed over; it closes it when it is closed itself. Nothing stays open when
 * this fails. @throws BulkheadError `listener-missing`, `cannot-listen`; what makeServer throws
 */
export async function serveHanded({ inbox, token, makeServer, what }: ServeHanded): Promise<Server> {
	const handed = inbox.take(token);
	if (!handed)
		throw new BulkheadError("listener-missing", `The ${what}'s listening socket has not come`, {
			remedy: "Hand it over first; a token is good for one request",
		});
	let server: Server;
	try {
		server = makeServer();
	} catch (error) {
		handed.close();
		throw error;
	}
	handed.serve(server);
	try {
		await once(server, "listening");
		return server;
	} catch (cause) {
		throw new BulkheadError("cannot-listen", `Cannot accept from the ${what}'s listening socket`, { cause });
	}
}
