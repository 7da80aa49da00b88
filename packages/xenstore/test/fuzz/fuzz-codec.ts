import { ProtocolError } from "@bulkhead/base";
import { Inbox } from "../../src/server/inbox.ts";
import { encodeMessage, LIMITS, type Message, MessageParser } from "../../src/wire/index.ts";
import { type Choose, makeFrame, oversizedHeader } from "./make-frames.ts";

interface Parsed {
	messages: Message[];
	isRefused: boolean;
}

/**
 * One stream of bytes in random pieces through the client's parser and the server's: both must give the frames that
 * were sent, up to the first that is too long, and hold no more than they were given. How many frames that was.
 */
export function fuzzCodec(choose: Choose): number {
	const sent: Message[] = [];
	const parts: Buffer[] = [];
	const count = 1 + choose(8);
	let isBroken = false;
	for (let id = 0; id < count && !isBroken; id++) {
		isBroken = choose(20) === 0;
		if (isBroken) parts.push(oversizedHeader(choose));
		else {
			const frame = makeFrame(choose, id);
			sent.push(frame);
			parts.push(encodeMessage(frame));
		}
	}
	const bytes = Buffer.concat([
		...parts,
		Buffer.from(Array.from({ length: isBroken ? choose(40) : 0 }, () => choose(256))),
	]);
	const chunks = cut(bytes, choose);
	for (const parsed of [byClient(chunks), byServer(chunks)]) {
		if (parsed.isRefused !== isBroken) throw new Error(`A stream was ${parsed.isRefused ? "" : "not "}refused`);
		if (!same(parsed.messages, sent)) throw new Error("Messages are not those that were sent");
	}
	return count;
}

function cut(bytes: Buffer, choose: Choose): Buffer[] {
	const chunks: Buffer[] = [];
	for (let at = 0; at < bytes.length; ) {
		const size = 1 + choose(choose(2) === 0 ? 20 : 5000);
		chunks.push(bytes.subarray(at, at + size));
		at += size;
	}
	return chunks;
}

function byClient(chunks: readonly Buffer[]): Parsed {
	const parser = new MessageParser();
	return collect(chunks, (chunk, messages) => parser.push(chunk, (message) => messages.push(message)));
}

function byServer(chunks: readonly Buffer[]): Parsed {
	const inbox = new Inbox();
	return collect(chunks, (chunk, messages) => {
		inbox.push(chunk);
		for (let taken = inbox.take(); taken; taken = inbox.take()) messages.push(taken);
		if (inbox.length > LIMITS.header + LIMITS.payload) throw new Error(`A parser holds ${inbox.length} bytes`);
	});
}

function collect(chunks: readonly Buffer[], parse: (chunk: Buffer, messages: Message[]) => void): Parsed {
	const messages: Message[] = [];
	try {
		for (const chunk of chunks) parse(chunk, messages);
		return { messages, isRefused: false };
	} catch (error) {
		if (!(error instanceof ProtocolError)) throw error;
		return { messages, isRefused: true };
	}
}

function same(some: readonly Message[], others: readonly Message[]): boolean {
	return (
		some.length === others.length &&
		some.every(({ type, requestId, transactionId, payload }, index) => {
			const other = others[index] as Message;
			const isSameHead = type === other.type && requestId === other.requestId && transactionId === other.transactionId;
			return isSameHead && payload.equals(other.payload);
		})
	);
}
