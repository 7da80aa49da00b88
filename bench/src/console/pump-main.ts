/**
 * Runs in dom0: one end of a console, a pty or a unix socket, in the hands of whoever asks. Answers each line with one:
 * `type TEXT`, `await TEXT`, `bulk BYTES` and `echo TIMES` (nanoseconds, of each echo).
 */
import { constants, openSync, statSync, writeSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { ReadStream } from "node:tty";

const [path = ""] = process.argv.slice(2);
const LONGEST_TEXT = 64 * 1024;

let received = 0;
let text = "";
let wake: () => void = () => {};

const write = open(path, (chunk) => {
	received += chunk.length;
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

async function transfer(sent: string, bytes: number): Promise<number> {
	const wanted = received + bytes;
	const started = process.hrtime.bigint();
	write(sent);
	await until(() => received >= wanted);
	return Number(process.hrtime.bigint() - started);
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
		case "bulk":
			return `${await transfer(`${argument}\n`, Number(argument))}`;
		case "echo": {
			const times: number[] = [];
			for (let time = 0; time < Number(argument); time++) times.push(await transfer("x", 1));
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
