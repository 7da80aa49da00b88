import { connect, type Socket } from "node:net";
import { BulkheadError, errnoOf, withDeadline } from "@bulkhead/base";

/** A connection to the relay's framed console socket. @throws BulkheadError `relay-unreachable`; DeadlineError; CancelledError */
export async function dialRelay(path: string, wait: { timeoutMs: number; signal: AbortSignal }): Promise<Socket> {
	const socket = connect({ path });
	socket.on("error", () => {}); // "close" follows
	try {
		await withDeadline(connected(socket, path), { ...wait, what: "the relay" });
		return socket;
	} catch (error) {
		socket.destroy();
		throw error;
	}
}

async function connected(socket: Socket, path: string): Promise<void> {
	try {
		await new Promise<void>((resolve, reject) => {
			socket.once("connect", resolve).once("error", reject);
		});
	} catch (error) {
		throw new BulkheadError("relay-unreachable", `Cannot reach the relay at ${path}`, {
			remedy: errnoOf(error) === "EACCES" ? "Run this as root" : "Start bulkhead-relay, or look into its log",
			cause: error,
			fields: { path },
		});
	}
}
