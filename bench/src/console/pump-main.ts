/**
 * Runs in dom0: one end of a console, a pty or a unix socket, in the hands of whoever asks. Answers each line with one:
 * `type TEXT`, `await TEXT`, `bulk BYTES` (nanoseconds, and whether the end had to be asked for) and `echo TIMES`
 * (nanoseconds, of each echo).
 */
import { constants, openSync, statSync, writeSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { ReadStream } from "node:tty";

const [path = ""] = process.argv.slice(2);
const LONGEST_TEXT = 64 * 1024;
/** A server that has given nothing for so long keeps the rest until its guest writes again, as QEMU does for a full pty. */
const SILENCE_MS = 3000;

let received = 0;
let lastReceived = 0n;
let text = "";
let wake: () => void = () => {};

const write = open(path, (chunk) => {
	received += chunk.length;
	lastReceived = process.hrtime.bigint();
	text = (text + chunk.toString("latin1")).slice(-LONGEST_TEXT);
	wake();
});

function open(place: string, onData: (chunk: Buffer) => void): (bytes: string) => void {
	if (statSync(place).isSocket()) {
		const socket: Socket = connect({ path: place }).on("data", onData);
		return (bytes) => void socket.write(bytes);
	}
	const fd = openSync(place, constants.O_RDWR | constants.O_NOCTTY);
	const terminal = new ReadStream(fd).on("data", onData);
	terminal.setRawMode(true);
	return (bytes) => void writeSync(fd, bytes);
}

async function until(holds: () => boolean): Promise<void> {
	while (!holds())
		await new Promise<void>((resolve) => {
			wake = resolve;
		});
}

/** Nanoseconds from a byte typed to its echo. */
async function echo(): Promise<number> {
	const wanted = received + 1;
	const started = process.hrtime.bigint();
	write("x");
	await until(() => received >= wanted);
	return Number(process.hrtime.bigint() - started);
}

/** Nanoseconds for so many bytes, and whether the last of them came only because one more was asked for. */
async function bulk(bytes: number): Promise<{ nanoseconds: number; isKept: boolean }> {
	const before = received;
	const started = process.hrtime.bigint();
	write(`${bytes}\n`);
	let kept: { bytes: number; nanoseconds: number } | undefined;
	let wanted = before + bytes;
	const watch = setInterval(() => {
		if (process.hrtime.bigint() - lastReceived < BigInt(SILENCE_MS) * 1_000_000n || received === before) return;
		kept ??= { bytes: received - before, nanoseconds: Number(lastReceived - started) };
		wanted++;
		write("1\n");
	}, SILENCE_MS);
	await until(() => received >= wanted);
	clearInterval(watch);
	const nanoseconds = kept ? (kept.nanoseconds * bytes) / kept.bytes : Number(lastReceived - started);
	return { nanoseconds, isKept: kept !== undefined };
}

async function answer(command: string, argument: string): Promise<string> {
	switch (command) {
		case "type":
			text = "";
			write(`${argument}\n`);
			return "typed";
		case "await":
			await until(() => text.includes(argument));
			return "seen";
		case "bulk": {
			const { nanoseconds, isKept } = await bulk(Number(argument));
			return `${nanoseconds} ${isKept ? 1 : 0}`;
		}
		case "echo": {
			const times: number[] = [];
			for (let time = 0; time < Number(argument); time++) times.push(await echo());
			return times.join(" ");
		}
		default:
			throw new RangeError(`There is no command ${command}`);
	}
}

process.stdout.write("open\n");
for await (const line of createInterface({ input: process.stdin })) {
	const [command = "", ...rest] = line.split(" ");
	process.stdout.write(`${await answer(command, rest.join(" "))}\n`);
}
process.exit(0);
