import { connect, type Socket } from "node:net";
import { withDeadline } from "@bulkhead/base";
import { LineCodedStream } from "./line-coded-stream.ts";
import { printOutcome, type RowOutcome } from "./rows.ts";
import type { GuestLine } from "./xenstore-guest-rows.ts";

const GUEST_TIMEOUT_MS = 120_000;

/**
 * Starts the guest's program over its console, prints the outcomes of its rows, and answers its device as a stream, with
 * the number of rows that failed.
 */
export async function startGuestProgram(socketPath: string): Promise<{ device: LineCodedStream; failures: number }> {
	const socket = await open(socketPath);
	let failures = 0;
	let finish: (() => void) | undefined;
	const finished = new Promise<void>((resolve) => {
		finish = resolve;
	});
	const device = new LineCodedStream(socket, (line) => {
		const said = parse(line);
		if (!said) return;
		if ("done" in said) finish?.();
		else {
			if (!said.outcome.ok) failures++;
			printOutcome(said.outcome as RowOutcome);
		}
	});
	socket.write("go\n");
	await withDeadline(finished, { timeoutMs: GUEST_TIMEOUT_MS, what: "the guest's program" });
	return { device, failures };
}

/** Undefined: a line of the guest's kernel. */
function parse(line: string): GuestLine | undefined {
	try {
		const said = JSON.parse(line) as GuestLine;
		return typeof said === "object" ? said : undefined;
	} catch {
		return undefined;
	}
}

function open(path: string): Promise<Socket> {
	return new Promise((resolve, reject) => {
		const socket = connect(path);
		socket.once("error", reject);
		socket.once("connect", () => resolve(socket));
	});
}
