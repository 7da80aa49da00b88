import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { ReadStream, WriteStream } from "node:tty";
import { promisify } from "node:util";
import { BulkheadError, errnoOf, InvalidInputError } from "@bulkhead/base";

/** Where guest/channel-link puts its links. */
export const CHANNELS_FOLDER = "/dev/xen-channels";

const NAME = /^[A-Za-z0-9_.:@+-]{1,64}$/;
const run = promisify(execFile);

/**
 * Opens a channel in the guest that it belongs to, by its name: raw bytes both ways. One program at a time should.
 * @throws InvalidInputError, BulkheadError `no-such-channel`
 */
export async function openGuestChannel(name: string, folder: string = CHANNELS_FOLDER): Promise<Duplex> {
	if (!NAME.test(name) || /^\.+$/.test(name))
		throw new InvalidInputError(`${JSON.stringify(name)} is no channel's name`);
	const path = join(folder, name);
	// Two descriptors, as Node's streams of a tty go one way each. Node's own raw mode would add carriage returns.
	const input = await openTty(path, name);
	try {
		await run("stty", ["-F", path, "raw", "-echo"]);
		const output = await openTty(path, name);
		return Duplex.from({ readable: new ReadStream(input), writable: new WriteStream(output) });
	} catch (error) {
		new ReadStream(input).destroy();
		throw error;
	}
}

async function openTty(path: string, name: string): Promise<number> {
	try {
		const file = await open(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
		return file.fd;
	} catch (cause) {
		throw new BulkheadError("no-such-channel", `This guest has no channel ${name} (${errnoOf(cause)})`, {
			cause,
			remedy: "Install guest/channel-link with its udev rule, and see /dev/xen-channels",
		});
	}
}
