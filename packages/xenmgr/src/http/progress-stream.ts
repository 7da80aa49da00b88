import { API } from "@bulkhead/api";
import { serializeError } from "@bulkhead/base";
import type { Context } from "hono";
import { stream } from "hono/streaming";
import type { Operations } from "./operations.ts";

/** One line of a newline-delimited JSON answer. */
export type Send = (line: object) => void;

/**
 * Answers with newline-delimited JSON while the work goes on: whatever it sends, then what it returns as
 * `{type:"result",…}` or what it throws as `{type:"error",error}`. A client that goes away aborts the signal; the
 * work is still awaited, so that it can undo what it began.
 */
export function answerWithProgress(
	context: Context,
	operations: Operations,
	work: (send: Send, signal: AbortSignal) => Promise<object>,
): Response {
	context.header("Content-Type", "application/x-ndjson");
	return stream(context, async (output) => {
		const stop = new AbortController();
		output.onAbort(() => stop.abort(new Error("The client went away")));
		let tail: Promise<unknown> = Promise.resolve();
		const send: Send = (line) => {
			tail = tail.then(() => (output.aborted ? undefined : output.write(`${JSON.stringify(line)}\n`)));
		};
		try {
			const name = context.req.header(API.operationHeader);
			const result = await operations.run(name, stop.signal, (signal) => work(send, signal));
			send({ type: "result", ...result });
		} catch (error) {
			send({ type: "error", error: serializeError(error) });
		}
		await tail;
	});
}
