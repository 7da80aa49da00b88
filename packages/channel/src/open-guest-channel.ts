import { execFile } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { ReadStream, WriteStream } from "node:tty";
import { promisify } from "node:util";
import { BulkheadError, errnoOf, InvalidInputError } from "@bulkhead/base";

/** Where guest/channel-link puts its links. */
export const CHANNELS_FOLDER = "/dev/xen-channels";

const NAME = /^[A-Za-z0-9_.:@+-]{1,64}$/;
const run = promisify(execFile);
// Not of fs/promises, whose handle would close the descriptor when it is collected.
const openFile = promisify(fs.open);

/**
 * Opens a channel in the guest that it belongs to, by its name: raw bytes both ways. One program at a time should.
 * @throws InvalidInputError, BulkheadError `no-such-channel`
 */
export async function openGuestChannel(name: string, folder: string = CHANNELS_FOLDER): Promise<Duplex> {
	if (!NAME.test(name) || /^\.+$/.test(name))
		throw new InvalidInputError(`${JSON.stringify(name)} is no channel's name`);
	const path = join(folder, name);
	const input = new ReadStream(await openTty(path, name));
	try {
		// Node's own raw mode would add carriage returns.
		await run("stty", ["-F", path, "raw", "-echo"]);
		return new TtyDuplex(input, new WriteStream(await openTty(path, name)));
	} catch (error) {
		input.destroy();
		throw error;
	}
}

/** Node's streams of a tty go one way each, so a channel is two of them. */
class TtyDuplex extends Duplex {
	readonly #input: ReadStream;
	readonly #output: WriteStream;

	constructor(input: ReadStream, output: WriteStream) {
		super();
		this.#input = input;
		this.#output = output;
		input.on("data", (chunk: Buffer) => {
			if (!this.push(chunk)) input.pause();
		});
		input.on("end", () => this.push(null));
		for (const stream of [input, output]) stream.on("error", (error) => this.destroy(error));
	}

	override _read(): void {
		this.#input.resume();
	}

	override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
		this.#output.write(chunk, done);
	}

	override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
		this.#input.destroy();
		this.#output.destroy();
		done(error);
	}
}

async function openTty(path: string, name: string): Promise<number> {
	try {
		return await openFile(path, fs.constants.O_RDWR | fs.constants.O_NOCTTY | fs.constants.O_NONBLOCK);
	} catch (cause) {
		throw new BulkheadError("no-such-channel", `This guest has no channel ${name} (${errnoOf(cause)})`, {
			cause,
			remedy: "Install guest/channel-link with its udev rule, and see /dev/xen-channels",
		});
	}
}
