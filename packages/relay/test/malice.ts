import type { Duplex } from "node:stream";
import { LineSplitter } from "@bulkhead/qmp";

export const GREETING = `${JSON.stringify({
	QMP: { version: { qemu: { major: 7, minor: 2, micro: 19 }, package: "" }, capabilities: ["oob"] },
})}\r\n`;

/** A QEMU in wrong hands, beyond the negotiation: says what it likes for each command. */
export interface Malice {
	/** In place of the greeting. */
	greet?: (stream: Duplex) => void;
	/** In place of an answer. */
	answer?: (stream: Duplex, command: { execute: string; id: number }) => void;
}

/** Plays that QEMU on a stream; what is not in wrong hands is answered as it should be. */
export function playQemu(stream: Duplex, { greet, answer }: Malice): void {
	const lines = new LineSplitter(1024 * 1024);
	stream.on("error", () => {});
	stream.on("data", (chunk: Buffer) =>
		lines.push(chunk, (line) => {
			if (line.trim() === "") return;
			const command = JSON.parse(line) as { execute: string; id: number };
			if (answer && command.execute !== "qmp_capabilities") answer(stream, command);
			else say(stream, { return: {}, id: command.id });
		}),
	);
	if (greet) greet(stream);
	else stream.write(GREETING);
}

export function say(stream: Duplex, message: unknown): void {
	if (!stream.destroyed) stream.write(`${JSON.stringify(message)}\r\n`);
}

/** Writes for as long as anybody reads. */
function endlessly(stream: Duplex, bytes: string | Buffer): void {
	const more = (): void => {
		while (!stream.destroyed && stream.write(bytes));
		if (!stream.destroyed) stream.once("drain", more);
	};
	more();
}

function closeAfter(stream: Duplex, bytes: string): void {
	stream.write(bytes, () => stream.destroy());
}

const EVIL = "\u001b[2J\u001b]0;owned\u0007\u009b31m";
const silent = (): void => {};

/** Before the session is there. */
export const AT_GREETING: Record<string, (stream: Duplex) => void> = {
	"never greets": silent,
	"greets with an endless line": (stream) => endlessly(stream, Buffer.alloc(64 * 1024, "x")),
	"greets with endless messages": (stream) => endlessly(stream, '{"return":{}}\r\n'.repeat(100)),
	"greets with no JSON": (stream) => void stream.write("QMP ready\r\n"),
	"greets with no UTF-8": (stream) => void stream.write(Buffer.from([0xff, 0xfe, 0xc3, 0x28, 0x0d, 0x0a])),
	"greets with half a greeting": (stream) => void stream.write(GREETING.slice(0, 40)),
	"greets and refuses to negotiate": (stream) => {
		stream.removeAllListeners("data");
		stream.resume();
		stream.write(GREETING);
		stream.write(`{"id":1,"error":{"class":"GenericError","desc":${JSON.stringify(EVIL)}}}\r\n`);
	},
	"greets twice": (stream) => void stream.write(GREETING + GREETING),
	"closes at once": (stream) => void stream.destroy(),
	"greets and closes": (stream) => closeAfter(stream, GREETING),
	"floods with events before the greeting": (stream) => endlessly(stream, '{"event":"STOP"}\r\n'.repeat(100)),
};

/** In place of the answer to a query: `code` is what its asker is told. */
export const AT_ANSWER: Record<string, { code: string; answer: NonNullable<Malice["answer"]> }> = {
	"never answers": { code: "deadline-exceeded", answer: silent },
	"answers with an endless line": {
		code: "qmp-connection-lost",
		answer: (stream) => endlessly(stream, Buffer.alloc(64 * 1024, "x")),
	},
	"answers with two MiB": {
		code: "qmp-connection-lost",
		answer: (stream, { id }) => say(stream, { return: "x".repeat(2 * 1024 * 1024), id }),
	},
	"nests a hundred thousand levels": {
		code: "qmp-connection-lost",
		answer: (stream) => void stream.write(`{"return":${"[".repeat(100_000)}${"]".repeat(100_000)},"id":2}\r\n`),
	},
	"answers in no UTF-8": {
		code: "qmp-connection-lost",
		answer: (stream) => void stream.write(Buffer.from('{"return":"\xff\xfe","id":2}\r\n', "latin1")),
	},
	"answers with an id that is none": {
		code: "qmp-connection-lost",
		answer: (stream) => say(stream, { return: [], id: "2" }),
	},
	"answers without an id": { code: "qmp-connection-lost", answer: (stream) => say(stream, { return: [] }) },
	"answers somebody else's command": {
		code: "qmp-connection-lost",
		answer: (stream, { id }) => say(stream, { return: [], id: id + 1000 }),
	},
	"answers the negotiation once more": {
		code: "qmp-connection-lost",
		answer: (stream) => say(stream, { return: {}, id: 1 }),
	},
	"answers with another type": {
		code: "protocol-error",
		answer: (stream, { id }) => say(stream, { return: { devices: EVIL }, id }),
	},
	"answers with members of another type": {
		code: "protocol-error",
		answer: (stream, { id }) => say(stream, { return: [{ device: 5, type: EVIL }], id }),
	},
	"answers with a list without end": {
		code: "protocol-error",
		answer: (stream, { id }) => say(stream, { return: Array.from({ length: 100_000 }, () => 0), id }),
	},
	"answers with a number that is none": {
		code: "qmp-connection-lost",
		answer: (stream, { id }) => void stream.write(`{"return":NaN,"id":${id}}\r\n`),
	},
	"answers with a prototype": {
		code: "qmp-connection-lost",
		answer: (stream, { id }) => void stream.write(`{"return":{"__proto__":{"x":1}},"id":${id}}\r\n`),
	},
	"refuses in escape characters": {
		code: "qmp-refused",
		answer: (stream, { id }) => say(stream, { id, error: { class: EVIL, desc: EVIL } }),
	},
	"refuses in a form that is none": {
		code: "qmp-connection-lost",
		answer: (stream, { id }) => say(stream, { id, error: { class: 1, desc: [] } }),
	},
	"closes instead": { code: "qmp-connection-lost", answer: (stream) => void stream.destroy() },
	"closes in the middle": { code: "qmp-connection-lost", answer: (stream) => closeAfter(stream, '{"return":[{"dev') },
	"sends events without end and no answer": {
		code: "deadline-exceeded",
		answer: (stream) => endlessly(stream, `{"event":"STOP","data":{"x":${JSON.stringify(EVIL)}}}\r\n`.repeat(20)),
	},
	"sends events that are none": {
		code: "qmp-connection-lost",
		answer: (stream) => say(stream, { event: EVIL, timestamp: EVIL }),
	},
	"greets again": { code: "qmp-connection-lost", answer: (stream) => void stream.write(GREETING) },
	"sends one byte at a time, for ever": {
		code: "deadline-exceeded",
		answer: (stream) => {
			const timer = setInterval(() => {
				if (stream.destroyed) clearInterval(timer);
				else stream.write(" ");
			}, 1);
		},
	},
};
