import { connect, type Socket } from "node:net";
import { BulkheadError, withDeadline } from "@bulkhead/base";

/** Connects to a unix socket. Holds nothing when it fails. @throws BulkheadError `cannot-connect`, DeadlineError, CancelledError */
export async function connectSocket(
	path: string,
	{ timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<Socket> {
	const socket = connect({ path });
	const connected = new Promise<void>((resolve, reject) => {
		socket.once("connect", resolve);
		socket.once("error", (cause) =>
			reject(new BulkheadError("cannot-connect", `Cannot connect to ${path}`, { cause, fields: { path } })),
		);
	});
	try {
		await withDeadline(connected, { timeoutMs, signal, what: "the socket of the guest's QEMU" });
		return socket;
	} catch (error) {
		socket.destroy();
		throw error;
	}
}
