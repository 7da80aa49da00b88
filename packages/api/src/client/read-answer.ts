import type { IncomingMessage } from "node:http";
import { BulkheadError, ProtocolError } from "@bulkhead/base";
import { API } from "../protocol.ts";
import { LineSplitter } from "../relay/line-splitter.ts";
import { findApiError } from "./api-error.ts";

/** The whole body as text. @throws ApiError for an error status; ProtocolError */
export async function readText(response: IncomingMessage): Promise<string> {
	const parts: Buffer[] = [];
	let bytes = 0;
	for await (const part of response as AsyncIterable<Buffer>) {
		bytes += part.length;
		if (bytes > API.bodyBytes) throw new ProtocolError(`bulkheadd's answer is longer than ${API.bodyBytes} bytes`);
		parts.push(part);
	}
	const text = Buffer.concat(parts).toString("utf8");
	const status = response.statusCode ?? 0;
	if (status >= 200 && status < 300) return text;
	throw findApiError(tryParse(text)) ?? new ProtocolError(`bulkheadd answered with status ${status} and no error`);
}

export async function readJson(response: IncomingMessage): Promise<unknown> {
	return parse(await readText(response));
}

/** Newline-delimited JSON, line by line. Leaving the loop ends the connection. @throws ApiError, ProtocolError */
export async function* readLines(response: IncomingMessage): AsyncGenerator<object> {
	if (response.statusCode !== 200) {
		await readText(response);
		throw new ProtocolError(`bulkheadd answered with status ${response.statusCode} in place of a stream`);
	}
	const splitter = new LineSplitter(API.lineBytes);
	try {
		for await (const chunk of response as AsyncIterable<Buffer>) {
			for (const line of splitter.push(chunk)) {
				const value = parse(line);
				if (typeof value !== "object" || value === null)
					throw new ProtocolError("A line of bulkheadd's answer is no object");
				yield value;
			}
		}
	} catch (error) {
		if (error instanceof BulkheadError) throw error;
		throw streamCut(error);
	} finally {
		response.destroy();
	}
}

export function streamCut(cause?: unknown): BulkheadError {
	return new BulkheadError("daemon-lost", "bulkheadd broke off before it had finished", {
		remedy: "See its log (journalctl -u bulkheadd) and `bulkhead list`",
		cause,
	});
}

function parse(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch (cause) {
		throw new ProtocolError("bulkheadd's answer is not JSON", { cause });
	}
}

function tryParse(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}
