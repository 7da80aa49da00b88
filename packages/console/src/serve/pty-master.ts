import * as fs from "node:fs";
import { errnoOf } from "@bulkhead/base";
import type { FdConditions, FdPoll, HostDevices, Pty } from "@bulkhead/hypervisor";

/** For tests: what reads and writes a master's descriptor. */
export type PtyFiles = Pick<typeof fs, "readSync" | "writeSync" | "closeSync">;

export const PTY_CHUNK_BYTES = 4096;
/** Read, or written, before other work gets its turn. */
export const PTY_CHUNKS_PER_TURN = 16;
/** Linux has no event for "somebody opened the slave": a look now and then, only while nobody has it. */
export const PTY_PRESENCE_POLL_MS = 200;

/** The master of a pseudo-terminal in raw mode, on the event loop. Its slave comes and goes: EIO is no error. */
export class PtyMaster {
	readonly path: string;
	readonly #devices: Pick<HostDevices, "pollFd">;
	readonly #files: PtyFiles;
	readonly #fd: Pty["masterFd"];
	readonly #poll: FdPoll;
	readonly #buffer: Uint8Array = new Uint8Array(PTY_CHUNK_BYTES);

	/** Frees the pty again when anything fails. @throws HypervisorError ENOSYS on a host without ptys */
	static open(devices: HostDevices, onReady: (ready: FdConditions) => void, files: PtyFiles = fs): PtyMaster {
		const pty = devices.openPty();
		try {
			return new PtyMaster(devices, onReady, files, pty);
		} catch (error) {
			files.closeSync(pty.masterFd);
			throw error;
		}
	}

	private constructor(devices: HostDevices, onReady: (ready: FdConditions) => void, files: PtyFiles, pty: Pty) {
		this.path = pty.path;
		this.#devices = devices;
		this.#files = files;
		this.#fd = pty.masterFd;
		this.#poll = devices.pollLoop(pty.masterFd, onReady);
	}

	/** As it is now. `hangup` while nobody has the slave open. */
	look(): FdConditions {
		return this.#devices.pollFd(this.#fd);
	}

	/** What `onReady` is called for; always for a hangup, unless neither is wanted. */
	watch(events: Parameters<FdPoll["watch"]>[0]): void {
		this.#poll.watch(events);
	}

	/** Empty when there is nothing to read now, or ever again. */
	read(): Uint8Array {
		try {
			const count = this.#files.readSync(this.#fd, this.#buffer, 0, PTY_CHUNK_BYTES, null);
			return this.#buffer.slice(0, count);
		} catch (error) {
			if (isOver(error)) return NOTHING;
			throw error;
		}
	}

	/** How many bytes the kernel took. */
	write(bytes: Uint8Array): number {
		try {
			return this.#files.writeSync(this.#fd, bytes, 0, bytes.length);
		} catch (error) {
			if (isOver(error)) return 0;
			throw error;
		}
	}

	/** Hangs up: who has the slave open reads an end, and loses what it has not read (Linux flushes both sides). Once. */
	close(): void {
		this.#poll.close();
		this.#files.closeSync(this.#fd);
	}
}

const NOTHING = new Uint8Array(0);

/** EAGAIN: not now. EIO: the slave is closed; the poll says so too. */
function isOver(error: unknown): boolean {
	const errno = errnoOf(error);
	return errno === "EAGAIN" || errno === "EIO";
}
