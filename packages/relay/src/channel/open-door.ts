import { connect, createServer, type Server, type Socket } from "node:net";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import type { ChannelDoorPlace, ChannelKeys } from "@bulkhead/api/relay";
import {
	CallingDoor,
	type ChannelDoor,
	type ChannelRing,
	ListeningDoor,
	PtyDoor,
	type PtyFiles,
} from "@bulkhead/console";
import type { ListenerInbox, RingHost } from "@bulkhead/hypervisor";
import { serveHanded } from "../stream/serve-handed.ts";
import { withKeys } from "../stream/with-keys.ts";

export interface DoorParts {
	devices: RingHost["devices"];
	inbox: ListenerInbox;
	/** For fake ptys. */
	ptyFiles?: PtyFiles;
	/** A connection could not be made, broke, or was refused. */
	onTrouble: (what: string, error: Error | undefined) => void;
}

/** Connections that have not shaken hands count too. */
const MOST_CONNECTIONS = 32;
const HANDSHAKE_MS = 10_000;
const WHOSE_KEYS = "The channel's certificate, key or authority";

/** Opens a channel's way to the host. @throws BulkheadError `listener-missing`, `cannot-listen`, `bad-keys`; HypervisorError */
export async function openDoor(place: ChannelDoorPlace, ring: ChannelRing, parts: DoorParts): Promise<ChannelDoor> {
	switch (place.kind) {
		case "pty":
			return new PtyDoor(parts.devices, ring, parts.ptyFiles);
		case "listen":
			return openListener(place, ring, parts);
		case "connect": {
			const dial = dialer(place);
			return new CallingDoor(ring, { dial, onTrouble: (error) => parts.onTrouble("No connection", error) });
		}
	}
}

async function openListener(
	{ token, tls }: Extract<ChannelDoorPlace, { kind: "listen" }>,
	ring: ChannelRing,
	{ inbox, onTrouble }: DoorParts,
): Promise<ChannelDoor> {
	const makeServer = (): Server => (tls ? tlsServer(tls, onTrouble) : createServer());
	const server = await serveHanded({ inbox, token, makeServer, what: "channel" });
	server.maxConnections = MOST_CONNECTIONS;
	server.on("error", (error) => onTrouble("A connection was lost before it was there", error));
	return new ListeningDoor(server, ring, tls ? "secureConnection" : "connection");
}

function tlsServer(keys: ChannelKeys, onTrouble: DoorParts["onTrouble"]): Server {
	const asksForCertificate = keys.ca !== undefined;
	const { ca, cert, key } = keys;
	const server = withKeys(WHOSE_KEYS, () =>
		createTlsServer({
			ca,
			cert,
			key,
			requestCert: asksForCertificate,
			rejectUnauthorized: asksForCertificate,
			handshakeTimeout: HANDSHAKE_MS,
		}),
	);
	return server.on("tlsClientError", (error) => onTrouble("A client was refused", error));
}

function dialer({ host, port, tls }: Extract<ChannelDoorPlace, { kind: "connect" }>): () => {
	socket: Socket;
	ready: "connect" | "secureConnect";
} {
	if (!tls) return () => ({ socket: connect({ host, port }), ready: "connect" });
	const { serverName, ...keys } = tls;
	const options = { host, port, ...keys, ...(serverName !== undefined && { servername: serverName }) };
	const dial = (): Socket => connectTls(options);
	// Keys that are none are told at once, not at every try.
	withKeys(WHOSE_KEYS, () => createTlsServer(keys)).close();
	return () => ({ socket: dial(), ready: "secureConnect" });
}
