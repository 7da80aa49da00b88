import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { type FileHandle, open } from "node:fs/promises";
import { Duplex, type Readable } from "node:stream";

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

class XenbusDevice extends Duplex {
	readonly #file: FileHandle;
	readonly #reader: ReaderProcess;

	constructor(file: FileHandle, reader: ReaderProcess) {
		super();
		this.#file = file;
		this.#reader = reader;
		reader.stdout.on("data", (chunk: Buffer) => {
			if (!this.push(chunk)) reader.stdout.pause();
		});
		reader.stdout.on("end", () => this.push(null));
		reader.on("error", (error) => this.destroy(error));
	}

	override _read(): void {
		this.#reader.stdout.resume();
	}

	/** The kernel takes one whole message per write (xenbus_dev_frontend.c, xenbus_file_write). */
	override _write(message: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
		this.#file
			.write(message)
			.then(
				({ bytesWritten }) =>
					done(bytesWritten === message.length ? null : new Error("The xenbus device took half a message")),
				done,
			);
	}

	override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
		this.#reader.kill("SIGKILL");
		this.#file.close().then(() => done(error), done);
	}
}
