import { readFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A TCP port of this host's own for one connection of this user's, and no other, to a unix socket. */
export interface SingleForward {
	readonly port: number;
	/** Resolves when the connection is over; at once when there is none. */
	ended(): Promise<void>;
	/** Ends the connection, too. */
	close(): Promise<void>;
}

const LOOPBACK = "127.0.0.1";

/**
 * Viewers know no unix sockets. The port is anybody's on this host to connect to, so whose the other end is, is looked up
 * in /proc/net/tcp; the port is closed once it has served.
 */
export async function openSingleForward(path: string): Promise<SingleForward> {
	let over: Promise<unknown> = Promise.resolve();
	const sockets = new Set<Socket>();
	const keep = (socket: Socket): Socket => {
		sockets.add(socket);
		socket.on("error", () => socket.destroy());
		return socket.once("close", () => sockets.delete(socket));
	};
	const server = createServer({ pauseOnConnect: true }, (viewer) => {
		keep(viewer);
		void ownerOf(viewer).then((uid) => {
			if (uid === undefined || uid !== process.getuid?.() || !server.listening) {
				viewer.destroy();
				return;
			}
			server.close();
			over = join(viewer, keep(connect({ path })));
		});
	});
	await new Promise<void>((resolve, reject) => {
		server.once("error", reject).listen(0, LOOPBACK, resolve);
	});
	return {
		port: (server.address() as AddressInfo).port,
		ended: async () => {
			await over;
		},
		close: async () => {
			for (const socket of sockets) socket.destroy();
			if (server.listening) await new Promise((resolve) => server.close(resolve));
		},
	};
}

/** Bytes each way until one of them is gone, and then the other. */
function join(one: Socket, other: Socket): Promise<unknown> {
	one.pipe(other);
	other.pipe(one);
	const gone = (socket: Socket): Promise<void> => new Promise((resolve) => void socket.once("close", () => resolve()));
	one.once("close", () => other.destroy());
	other.once("close", () => one.destroy());
	return Promise.all([gone(one), gone(other)]);
}

/** Whose the other end of a connection within this host is. Columns as in proc(5): addresses in hexadecimal, then the user. */
async function ownerOf({ remotePort = 0, localPort = 0 }: Socket): Promise<number | undefined> {
	const hex = (port: number): string => port.toString(16).toUpperCase().padStart(4, "0");
	const table = await readFile("/proc/net/tcp", "latin1").catch(() => "");
	for (const line of table.split("\n")) {
		const [, local = "", remote = "", , , , , uid] = line.trim().split(/\s+/);
		if (local === `0100007F:${hex(remotePort)}` && remote === `0100007F:${hex(localPort)}`) return Number(uid);
	}
	return undefined;
}
