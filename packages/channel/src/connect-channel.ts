import { connect, type Socket } from "node:net";
import { ApiClient, type Channel } from "@bulkhead/api/client";
import { BulkheadError, InvalidInputError, withDeadline } from "@bulkhead/base";

export interface FindChannel {
	/** A guest's name, domid or uuid. */
	guest: string;
	/** "org.example.agent.v1" */
	name: string;
	/** bulkheadd's socket. Default: where an installed one listens. */
	apiSocket?: string;
}

const CONNECT_MS = 10_000;

/** Where the host connects to a guest's channel. @throws InvalidInputError `no-such-device`, `channel-unusable`; what ApiClient throws */
export async function findChannelSocket({ guest, name, apiSocket }: FindChannel): Promise<string> {
	const client = new ApiClient(apiSocket === undefined ? {} : { socketPath: apiSocket });
	const channels = await client.channels(guest);
	const found = channels.find((channel) => channel.name === name);
	if (!found)
		throw new InvalidInputError(
			`Guest ${guest} has no channel ${name}`,
			{ remedy: "See `bulkhead channel-list`", fields: { guest, name } },
			"no-such-device",
		);
	if (found.socketPath !== undefined) return found.socketPath;
	throw new InvalidInputError(
		`Channel ${name} of guest ${guest} is reached by ${wayOf(found)}, not by a socket`,
		{ remedy: "Give it connection=socket with a path", fields: { guest, name } },
		"channel-unusable",
	);
}

/**
 * Connects to a channel of a guest. A guest whose end is not there yet is waited for by the socket itself: what is
 * written goes to it when it comes. One client at a time is served, others wait. The socket closes when the guest's end
 * goes: connect anew. @throws what findChannelSocket throws, BulkheadError `channel-unreachable`, DeadlineError, CancelledError
 */
export async function connectChannel(where: FindChannel, signal?: AbortSignal): Promise<Socket> {
	const path = await findChannelSocket(where);
	const socket = connect({ path });
	const connected = new Promise<void>((resolve, reject) => {
		socket.once("connect", resolve).once("error", (cause) => {
			const details = { cause, remedy: "See `bulkhead channel-list` for what is wrong", fields: { path } };
			reject(new BulkheadError("channel-unreachable", `Cannot connect to channel ${where.name}`, details));
		});
	});
	try {
		await withDeadline(connected, { timeoutMs: CONNECT_MS, signal, what: `channel ${where.name}` });
		socket.removeAllListeners("error");
		return socket;
	} catch (error) {
		socket.destroy();
		throw error;
	}
}

function wayOf({ connection, ptyPath }: Channel): string {
	return ptyPath ?? (connection === "pty" ? "a pty" : connection);
}
