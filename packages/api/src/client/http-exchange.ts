import { type IncomingMessage, request } from "node:http";
import { BulkheadError, CancelledError, DeadlineError, errnoOf, ProtocolError } from "@bulkhead/base";

export interface Exchange {
	socketPath: string;
	method: "GET" | "POST" | "DELETE";
	/** Prefix included. */
	path: string;
	/** Sent as JSON. */
	body?: unknown;
	headers?: Readonly<Record<string, string>>;
	signal?: AbortSignal;
	/** Until the answer's head is here. */
	timeoutMs: number;
}

/**
 * Sends one request over the daemon's unix socket and answers with the response's head; the body is to be read or
 * destroyed. One connection each: a command makes one or two.
 * @throws BulkheadError `daemon-unreachable`, DeadlineError, CancelledError
 */
export function exchange({
	socketPath,
	method,
	path,
	body,
	headers,
	signal,
	timeoutMs,
}: Exchange): Promise<IncomingMessage> {
	const text = body === undefined ? undefined : JSON.stringify(body);
	const contentHeaders = text === undefined ? {} : { "content-type": "application/json" };
	return new Promise((resolve, reject) => {
		const outgoing = request({
			socketPath,
			method,
			path,
			agent: false,
			signal,
			headers: { ...headers, ...contentHeaders },
		});
		const timer = setTimeout(() => {
			outgoing.destroy(new DeadlineError(`bulkheadd did not answer within ${timeoutMs} ms`, { fields: { timeoutMs } }));
		}, timeoutMs);
		outgoing.once("response", (response) => {
			clearTimeout(timer);
			resolve(response);
		});
		outgoing.on("error", (error) => {
			clearTimeout(timer);
			reject(explain(error, socketPath, signal));
		});
		outgoing.end(text);
	});
}

const WHY: Readonly<Record<string, [why: string, remedy: string]>> = {
	ENOENT: ["there is no such socket", "Start it: systemctl start bulkheadd"],
	ECONNREFUSED: ["nothing answers there", "Start it: systemctl start bulkheadd"],
	EACCES: ["access is denied", "Run this as root"],
	EPERM: ["access is denied", "Run this as root"],
	ENOTSOCK: ["it is not a socket", "Give the right path with --socket"],
};

/** What broke an exchange, in the words of its user. */
export function explain(error: Error, socketPath: string, signal: AbortSignal | undefined): Error {
	if (signal?.aborted) return new CancelledError("Stopped waiting for bulkheadd", { cause: signal.reason });
	if (error instanceof BulkheadError) return error;
	const errno = errnoOf(error);
	const [why, remedy] = (errno && WHY[errno]) || [];
	if (why !== undefined)
		return new BulkheadError("daemon-unreachable", `Cannot reach bulkheadd at ${socketPath}: ${why}`, {
			remedy,
			cause: error,
			fields: { socketPath },
		});
	if (errno === "ECONNRESET" || errno === "EPIPE")
		return new BulkheadError("daemon-lost", "bulkheadd broke off before it had answered", {
			remedy: "See its log: journalctl -u bulkheadd",
			cause: error,
		});
	return new ProtocolError("bulkheadd did not answer in HTTP", {
		cause: error,
		remedy: "Give the right path with --socket",
	});
}
