/**
 * Runs in a guest, as its only program: shows that our client works on the device of an unprivileged domain, then hands
 * the device to whoever speaks to the console. Starts when the console says "go".
 */
import { Duplex } from "node:stream";
import { openTransport, XENBUS_DEVICE, XenstoreClient } from "@bulkhead/xenstore";
import { LineCodedStream } from "./line-coded-stream.ts";
import { runRow } from "./rows.ts";
import { type GuestLine, xenstoreGuestRows } from "./xenstore-guest-rows.ts";

const say = (line: GuestLine): void => {
	process.stdout.write(`${JSON.stringify(line)}\n`);
};

const console = new Duplex({
	read() {},
	write: (chunk: Buffer, _encoding, done) => {
		process.stdout.write(chunk, done);
	},
});
process.stdin.on("data", (chunk: Buffer) => console.push(chunk));

const bridge = new LineCodedStream(console, (line) => {
	if (line === "go") void run();
});

async function run(): Promise<void> {
	for (const row of xenstoreGuestRows(connect)) say({ outcome: await runRow(row) });
	const { stream } = await openTransport(XENBUS_DEVICE, { timeoutMs: 20_000 });
	bridge.pipe(stream);
	stream.pipe(bridge);
	say({ done: true });
}

function connect(): Promise<XenstoreClient> {
	return XenstoreClient.connect({ path: XENBUS_DEVICE, requestTimeoutMs: 20_000 });
}
