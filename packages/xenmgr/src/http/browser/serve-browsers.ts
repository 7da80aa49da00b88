import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer as createHttpServer, type IncomingMessage, type Server } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { BulkheadError, InvalidInputError } from "@bulkhead/base";
import { findPageFiles } from "@bulkhead/web";
import { getRequestListener } from "@hono/node-server";
import { WebSocketServer } from "ws";
import type { Stream } from "../../screen/screen-session.ts";
import type { Screens } from "../../screen/screens.ts";
import { hostnameOf, type IsAllowedHost, isLoopbackHost, isOwnOrigin, namesOf } from "./allowed-hosts.ts";
import { createBrowserApp } from "./browser-app.ts";
import { type ListenAddress, urlHost } from "./listen-address.ts";

export interface BrowserListening {
	address: ListenAddress;
	/** Files, in PEM. Required beyond loopback. */
	tls?: { certificate: string; key: string };
}

export interface BrowserServer {
	/** "https://host.example.org:8006" */
	url: string;
	close(): Promise<void>;
}

const LIMITS = {
	connections: 128,
	/** Of a request's head and of the whole of it. */
	headMs: 5000,
	requestMs: 10_000,
	idleMs: 5000,
	headBytes: 8192,
	/** Of one WebSocket message: what a browser sends is keys, and a clipboard now and then. */
	messageBytes: 1_048_576,
	/** Of a connection that neither sends nor takes anything; those of streams have their own pings. */
	stallMs: 30_000,
} as const;

const STREAM = /^\/guests\/([0-9a-f-]{36})\/screen\/(socket|clipboard)$/;
/** A page names two: this one, which it is answered, and its ticket behind a prefix. */
const PROTOCOL = "binary";
const TICKET_PREFIX = "ticket.";

/** Serves the screens' page to browsers. @throws BulkheadError `cannot-listen`; InvalidInputError */
export async function serveBrowsers({ address, tls }: BrowserListening, screens: Screens): Promise<BrowserServer> {
	const keys = tls && (await readKeys(tls));
	if (!keys && !address.isLoopback) throw plainBeyondLoopback();
	const scheme = keys ? "https" : "http";
	const isAllowedHost: IsAllowedHost = keys
		? (name) => keys.isNamed(name) || (address.isLoopback && isLoopbackHost(name))
		: isLoopbackHost;
	const app = createBrowserApp({ screens, files: await findPageFiles(), isAllowedHost, scheme });
	const limits = {
		headersTimeout: LIMITS.headMs,
		requestTimeout: LIMITS.requestMs,
		keepAliveTimeout: LIMITS.idleMs,
		connectionsCheckingInterval: LIMITS.headMs / 2,
		maxHeaderSize: LIMITS.headBytes,
	};
	const listener = getRequestListener(app.fetch);
	const onRequest = (...[request, response]: Parameters<typeof listener>): void => void listener(request, response);
	const server = keys
		? createHttpsServer(
				{ ...limits, handshakeTimeout: LIMITS.requestMs, cert: keys.cert, key: keys.key, minVersion: "TLSv1.2" },
				onRequest,
			)
		: createHttpServer(limits, onRequest);
	server.maxConnections = LIMITS.connections;
	server.timeout = LIMITS.stallMs;
	const connections = new Set<Socket>();
	server.on("connection", (socket: Socket) => {
		connections.add(socket);
		socket.once("close", () => connections.delete(socket));
	});
	server.on("clientError", (_, socket) => socket.destroy());
	const streams = serveStreams(server, screens, (request) => {
		const { host, origin } = request.headers;
		const hostname = hostnameOf(host);
		return hostname !== undefined && isAllowedHost(hostname) && isOwnOrigin(origin, host ?? "", scheme);
	});
	await listen(server, address);
	const { port } = server.address() as AddressInfo;
	const name = address.isLoopback ? urlHost(address.host) : (keys?.name ?? urlHost(address.host));
	return {
		url: `${scheme}://${name}:${port}`,
		close: async () => {
			for (const browser of streams.clients) browser.terminate();
			const closed = new Promise((resolve) => server.close(resolve));
			for (const socket of connections) socket.destroy();
			await closed;
		},
	};
}

/** Upgrades requests of pages that have a ticket; all others end with a status. */
function serveStreams(
	server: Server,
	screens: Screens,
	isOurs: (request: IncomingMessage) => boolean,
): WebSocketServer {
	const streams = new WebSocketServer({
		noServer: true,
		maxPayload: LIMITS.messageBytes,
		perMessageDeflate: false,
		handleProtocols: () => PROTOCOL,
	});
	server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
		socket.on("error", () => {});
		const [, uuid = "", stream = ""] = STREAM.exec(request.url ?? "") ?? [];
		if (!isOurs(request)) return refuse(socket, "403 Forbidden");
		if (uuid === "") return refuse(socket, "404 Not Found");
		const session = screens.redeem(ticketOf(request), uuid);
		if (!session) return refuse(socket, "403 Forbidden");
		streams.handleUpgrade(request, socket, head, (browser) => {
			browser.on("error", () => {}); // "close" follows.
			void screens.serve(session, stream as Stream, browser);
		});
	});
	return streams;
}

function ticketOf({ headers }: IncomingMessage): string {
	const offered = (headers["sec-websocket-protocol"] ?? "").split(",").map((text) => text.trim());
	const ticket = offered.includes(PROTOCOL) && offered.find((text) => text.startsWith(TICKET_PREFIX));
	return ticket ? ticket.slice(TICKET_PREFIX.length) : "";
}

function refuse(socket: Duplex, status: string): void {
	// Of an upgraded connection nothing has the time any more: it is not left to the other end to close it.
	socket.once("finish", () => socket.destroy());
	socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

async function readKeys({ certificate, key }: { certificate: string; key: string }): Promise<{
	cert: Buffer;
	key: Buffer;
	isNamed: IsAllowedHost;
	/** The first name of the certificate that can stand in a URL. */
	name: string | undefined;
}> {
	try {
		const [cert, secret] = await Promise.all([readFile(certificate), readFile(key)]);
		const parsed = new X509Certificate(cert);
		const name = /(?:^|, )DNS:([A-Za-z0-9.-]+)(?:,|$)/.exec(parsed.subjectAltName ?? "")?.[1];
		return { cert, key: secret, isNamed: namesOf(parsed), name };
	} catch (cause) {
		throw new InvalidInputError("The certificate for browsers cannot be read", {
			cause,
			remedy: "Give files in PEM with --http-certificate and --http-key",
			fields: { certificate, key },
		});
	}
}

function plainBeyondLoopback(): InvalidInputError {
	return new InvalidInputError("Browsers beyond this host are served with TLS only", {
		remedy: "Listen on 127.0.0.1, or give --http-certificate and --http-key",
	});
}

function listen(server: Server, { host, port }: ListenAddress): Promise<void> {
	return new Promise((resolve, reject) => {
		server.once("error", (cause) =>
			reject(
				new BulkheadError("cannot-listen", `Cannot listen on ${urlHost(host)}:${port}`, {
					cause,
					remedy: "Choose another address with --http-listen",
				}),
			),
		);
		server.listen({ host, port, exclusive: true }, () => resolve());
	});
}
