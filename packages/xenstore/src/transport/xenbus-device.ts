import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { type FileHandle, open } from "node:fs/promises";
import { Duplex, type Readable } from "node:stream";
import { errnoOf } from "@bulkhead/base";
import { LIMITS } from "../wire/limits.ts";
import { encodeMessage } from "../wire/message.ts";
import { MessageParser } from "../wire/message-parser.ts";
import { OPERATION } from "../wire/operations.ts";

/** Stated by hand: the types of `spawn` know no descriptor number as stdin. */
type ReaderProcess = ChildProcessByStdio<null, Readable, null>;

/**
 * Opens /dev/xen/xenbus. Replies belong to the open file, and reading it blocks: inside Node that would hold a thread
 * of libuv's small pool, which nothing can interrupt. So a `cat` that shares the open file reads it and hands the bytes
 * on through a pipe; it can be killed at any time. Writing does not block, apart from a domain being suspended.
 */
export async function openXenbusDevice(path: string): Promise<Duplex> {
	const file = await open(path, "r+");
	try {
		const reader = spawn("cat", [], { stdio: [file.fd, "pipe", "ignore"] }) as ReaderProcess;
		await once(reader, "spawn");
		return new XenbusDevice(file, reader);
	} catch (error) {
		await file.close();
		throw error;
	}
}

/**
 * The kernel's buffer for one request (xenbus_dev_frontend.c: XENSTORE_PAYLOAD_MAX bytes, header included). It hands the
 * request to xenstored's ring out of this very buffer, later, so a second request written before the first is answered
 * overwrites the first (seen with Linux 6.1): the device takes one at a time.
 */
const KERNEL_BUFFER_BYTES = 4096;

/** Bytes of payload that a request through the device may have. */
export const DEVICE_PAYLOAD_BYTES: number = KERNEL_BUFFER_BYTES - LIMITS.header;

/** What xenstored's refusals can be (xs_wire.h, xsd_errors), but for EIO: that is the kernel's own failure. */
const REFUSALS: ReadonlySet<string> = new Set(
	"EINVAL EACCES EEXIST EISDIR ENOENT ENOMEM ENOSPC ENOTEMPTY ENOSYS EROFS EBUSY EAGAIN EISCONN E2BIG EPERM".split(" "),
);

/** The kernel asks for watches itself, and says by write(2) what xenstored said: here it is a reply again. */
function refusalMessage(requestId: number, errno: string): Buffer {
	return encodeMessage({ type: OPERATION.ERROR, requestId, transactionId: 0, payload: Buffer.from(`${errno}\0`) });
}

class XenbusDevice extends Duplex {
	readonly #file: FileHandle;
	readonly #reader: ReaderProcess;
	readonly #replies = new MessageParser();
	#onReply: (() => void) | undefined;

	constructor(file: FileHandle, reader: ReaderProcess) {
		super();
		this.#file = file;
		this.#reader = reader;
		reader.stdout.on("data", (chunk: Buffer) => this.#receive(chunk));
		reader.stdout.on("end", () => this.push(null));
		reader.on("error", (error) => this.destroy(error));
	}

	override _read(): void {
		this.#reader.stdout.resume();
	}

	/** Whole messages. The next ones come when these are done: answered. */
	override _write(messages: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
		this.#sendAll(messages).then(() => done(), done);
	}

	override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
		this.#reader.kill("SIGKILL");
		this.#file.close().then(() => done(error), done);
	}

	async #sendAll(messages: Buffer): Promise<void> {
		for (let at = 0; at < messages.length; ) {
			const end = at + LIMITS.header + messages.readUInt32LE(at + 12);
			await this.#send(messages.subarray(at, end));
			at = end;
		}
	}

	async #send(message: Buffer): Promise<void> {
		const answered = new Promise<void>((resolve) => {
			this.#onReply = resolve;
		});
		try {
			const { bytesWritten } = await this.#file.write(message);
			if (bytesWritten !== message.length) throw new Error("The xenbus device took half a message");
		} catch (error) {
			const errno = errnoOf(error);
			if (errno === undefined || !REFUSALS.has(errno)) throw error;
			this.push(refusalMessage(message.readUInt32LE(4), errno));
			return;
		}
		await answered;
	}

	#receive(chunk: Buffer): void {
		try {
			this.#replies.push(chunk, ({ type }) => {
				if (type !== OPERATION.WATCH_EVENT) this.#onReply?.();
			});
		} catch (error) {
			this.destroy(error as Error);
			return;
		}
		if (!this.push(chunk)) this.#reader.stdout.pause();
	}
}
