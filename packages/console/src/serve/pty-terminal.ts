import * as fs from "node:fs";
import { errnoOf } from "@bulkhead/base";
import type { FdPoll, HostDevices, Pty } from "@bulkhead/hypervisor";
import type { ConsoleBackend } from "../backend/console-backend.ts";
import type { InputSource } from "../backend/console-input.ts";
import type { ConsoleReader } from "../backend/console-reader.ts";

export type PtyFiles = Pick<typeof fs, "readSync" | "writeSync" | "closeSync">;

const CHUNK_BYTES = 4096;
const CHUNKS_PER_TURN = 16;
/** Linux has no event for "somebody opened the slave": a look now and then, only while nobody has it. */
const PRESENCE_POLL_MS = 200;
const LINGER_MS = 1000;

/**
 * A console as a pseudo-terminal. Somebody who has the slave open is a connected reader (nothing is lost, the guest
 * waits); while nobody has, nothing is written to it, and who comes next begins where the last one left, or with what
 * has come since the pty was made.
 */
export class PtyTerminal implements InputSource {
	readonly #backend: ConsoleBackend;
	readonly #devices: Pick<HostDevices, "pollFd">;
	readonly #files: PtyFiles;
	readonly #pty: Pty;
	readonly #poll: FdPoll;
	readonly #buffer: Uint8Array = new Uint8Array(CHUNK_BYTES);
	#reader: ConsoleReader | undefined;
	#offset: number;
	#presence: NodeJS.Timeout | undefined;
	#full = false;
	#linger: NodeJS.Timeout | undefined;
	#closed = false;

	/** Frees the pty again when anything fails. */
	static open(devices: HostDevices, backend: ConsoleBackend, files: PtyFiles = fs): PtyTerminal {
		const pty = devices.openPty();
		try {
			return new PtyTerminal(devices, backend, files, pty);
		} catch (error) {
			files.closeSync(pty.masterFd);
			throw error;
		}
	}

	private constructor(devices: HostDevices, backend: ConsoleBackend, files: PtyFiles, pty: Pty) {
		this.#backend = backend;
		this.#devices = devices;
		this.#files = files;
		this.#pty = pty;
		this.#offset = backend.journal.end;
		this.#poll = devices.pollLoop(pty.masterFd, (ready) => this.#ready(ready));
		backend.input.join(this);
		this.#waitForSomebody();
	}

	get path(): string {
		return this.#pty.path;
	}

	get open(): boolean {
		return this.#reader !== undefined;
	}

	/** The console has ended: closes as soon as nobody has the slave open, or had the time to read what is left. */
	finish(): void {
		if (!this.#reader) this.close();
		// A closed master takes what the slave has not read yet with it (Linux flushes both sides).
		else if (this.#reader.drained) this.#linger ??= setTimeout(() => this.close(), LINGER_MS);
	}

	/** Hangs up: who has the slave open reads an end. Idempotent. */
	close(): void {
		if (this.#closed) return;
		this.#closed = true;
		clearInterval(this.#presence);
		clearTimeout(this.#linger);
		this.#reader?.close();
		this.#reader = undefined;
		this.#backend.input.leave(this);
		this.#poll.close();
		this.#files.closeSync(this.#pty.masterFd);
	}

	delivered(): void {}

	overtaken(): void {}

	roomAgain(): void {
		if (this.#reader) this.#watch();
	}

	#waitForSomebody(): void {
		this.#poll.watch({});
		this.#presence = setInterval(() => {
			if (!this.#devices.pollFd(this.#pty.masterFd).hangup) this.#arrive();
		}, PRESENCE_POLL_MS);
		this.#presence.unref();
	}

	#arrive(): void {
		clearInterval(this.#presence);
		this.#presence = undefined;
		this.#reader = this.#backend.openReader(this.#offset, () => this.#flush());
		this.#flush();
	}

	#leave(): void {
		if (!this.#reader) return;
		this.#offset = this.#reader.offset;
		this.#reader.close();
		this.#reader = undefined;
		if (this.#backend.ended === undefined) this.#waitForSomebody();
		else this.close();
	}

	#ready({ readable, hangup }: { readable: boolean; writable: boolean; hangup: boolean }): void {
		if (!this.#reader) return;
		if (readable || hangup) this.#read(hangup);
		if (hangup) this.#leave();
		else this.#flush();
	}

	/** What was typed before the slave was closed is read to the end, whatever the queue's state: the kernel holds little. */
	#read(toTheEnd: boolean): void {
		for (let turn = 0; turn < CHUNKS_PER_TURN; turn++) {
			if (!toTheEnd && !this.#backend.input.hasRoom) return;
			let count: number;
			try {
				count = this.#files.readSync(this.#pty.masterFd, this.#buffer, 0, CHUNK_BYTES, null);
			} catch (error) {
				if (isOneOf(error, "EAGAIN", "EIO")) return;
				throw error;
			}
			if (count === 0) return;
			this.#backend.type(this, this.#buffer.slice(0, count));
		}
	}

	#flush(): void {
		this.#full = false;
		for (let turn = 0; this.#reader && turn < CHUNKS_PER_TURN && !this.#full; turn++) {
			const { bytes } = this.#reader.peek(CHUNK_BYTES);
			if (bytes.length === 0) break;
			const count = this.#write(bytes);
			this.#full = count < bytes.length;
			this.#reader.take(count);
		}
		if (this.#reader) this.#watch();
		if (this.#backend.ended !== undefined) this.finish();
	}

	#write(bytes: Uint8Array): number {
		try {
			return this.#files.writeSync(this.#pty.masterFd, bytes, 0, bytes.length);
		} catch (error) {
			// EIO: the slave is closed; the poll will say so too.
			if (isOneOf(error, "EAGAIN", "EIO")) return 0;
			throw error;
		}
	}

	#watch(): void {
		const writable = this.#full || this.#reader?.drained === false;
		this.#poll.watch({ readable: this.#backend.input.hasRoom, writable });
	}
}

function isOneOf(error: unknown, ...errnos: string[]): boolean {
	return errnos.includes(errnoOf(error) ?? "");
}
