import { stat } from "node:fs/promises";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { withDeadline } from "@bulkhead/base";
import { XenstoreError } from "../errors.ts";
import { LIMITS } from "../wire/limits.ts";
import { DEVICE_PAYLOAD_BYTES, openXenbusDevice } from "./xenbus-device.ts";

/** xenstored's socket in its own domain (xenstored's `--help` and Xen's configure, XEN_RUN_STORED). */
export const XENSTORED_SOCKET = "/run/xenstored/socket";
/** A domain's own connection, through its kernel (Linux: drivers/xen/xenbus). */
export const XENBUS_DEVICE = "/dev/xen/xenbus";

export interface Transport {
	/** Bytes to and from xenstored. Each write is one or more whole messages. */
	stream: Duplex;
	/** Bytes of payload that a request may have. */
	payloadBytes: number;
}

/**
 * Opens a socket or the device, whichever the path is.
 * @throws XenstoreError `xenstore-connection-lost` when nobody answers there; DeadlineError; CancelledError
 */
export async function openTransport(
	path: string,
	{ signal, timeoutMs }: { signal?: AbortSignal | undefined; timeoutMs: number },
): Promise<Transport> {
	const opened = open(path);
	try {
		return await withDeadline(opened, { timeoutMs, signal, what: "the connection to xenstored" });
	} catch (error) {
		// What opens after all must not stay open.
		opened.then(
			({ stream }) => stream.destroy(),
			() => {},
		);
		throw error;
	}
}

async function open(path: string): Promise<Transport> {
	try {
		const found = await stat(path);
		return found.isCharacterDevice()
			? { stream: await openXenbusDevice(path), payloadBytes: DEVICE_PAYLOAD_BYTES }
			: { stream: await connectSocket(path), payloadBytes: LIMITS.payload };
	} catch (cause) {
		throw new XenstoreError("xenstore-connection-lost", `Cannot connect to xenstored at ${path}`, {
			cause,
			remedy: "Check that this is a Xen host and that xenstored runs",
			fields: { socket: path },
		});
	}
}

function connectSocket(path: string): Promise<Duplex> {
	return new Promise((resolve, reject) => {
		const socket = connect({ path });
		socket.once("error", reject);
		socket.once("connect", () => {
			socket.off("error", reject);
			resolve(socket);
		});
	});
}
