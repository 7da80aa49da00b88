import { connect } from "node:net";
import { BulkheadError, errnoOf, withDeadline } from "@bulkhead/base";
import { RfbClient } from "./rfb-client.ts";

export interface ConnectScreen {
	/** A screen's unix socket. */
	path: string;
	/** For connecting and shaking hands together. */
	timeoutMs: number;
	signal?: AbortSignal;
}

/** @throws BulkheadError `screen-unreachable`; what RfbClient.open throws */
export async function connectScreen({ path, timeoutMs, signal }: ConnectScreen): Promise<RfbClient> {
	const limit = performance.now() + timeoutMs;
	const socket = connect({ path });
	const connected = new Promise<void>((resolve, reject) => {
		socket.once("connect", resolve);
		socket.once("error", (cause) => reject(unreachable(path, cause)));
	});
	try {
		await withDeadline(connected, { timeoutMs, signal, what: "the screen's socket" });
		return await RfbClient.open(socket, { timeoutMs: Math.max(1, limit - performance.now()), signal });
	} catch (error) {
		socket.destroy();
		throw error;
	}
}

function unreachable(path: string, cause: Error): BulkheadError {
	return new BulkheadError("screen-unreachable", `Nobody serves the screen at ${path} (${errnoOf(cause) ?? "error"})`, {
		cause,
		remedy: "See `bulkhead list` and `bulkhead doctor`: the guest and the relay must run",
		fields: { path },
	});
}
