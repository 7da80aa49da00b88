import type { FdConditions, HostDevices } from "@bulkhead/hypervisor";
import type { ConsoleBackend } from "../backend/console-backend.ts";
import type { InputSource } from "../backend/console-input.ts";
import type { ConsoleReader } from "../backend/console-reader.ts";
import { PTY_CHUNK_BYTES, PTY_CHUNKS_PER_TURN, PTY_PRESENCE_POLL_MS, type PtyFiles, PtyMaster } from "./pty-master.ts";

const LINGER_MS = 1000;

/**
 * A console as a pseudo-terminal. Somebody who has the slave open is a connected reader (nothing is lost, the guest
 * waits); while nobody has, nothing is written to it, and who comes next begins where the last one left, or with what
 * has come since the pty was made.
 */
export class PtyTerminal implements InputSource {
	readonly #backend: ConsoleBackend;
	readonly #pty: PtyMaster;
	#reader: ConsoleReader | undefined;
	#offset: number;
	#presence: NodeJS.Timeout | undefined;
	#full = false;
	#linger: NodeJS.Timeout | undefined;
	#closed = false;

	/** @throws HypervisorError ENOSYS on a host without ptys */
	constructor(devices: HostDevices, backend: ConsoleBackend, files?: PtyFiles) {
		this.#backend = backend;
		this.#offset = backend.journal.end;
		this.#pty = PtyMaster.open(devices, (ready) => this.#ready(ready), files);
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
		this.#pty.close();
	}

	delivered(): void {}

	overtaken(): void {}

	roomAgain(): void {
		if (this.#reader) this.#watch();
	}

	#waitForSomebody(): void {
		this.#pty.watch({});
		this.#presence = setInterval(() => {
			if (!this.#pty.look().hangup) this.#arrive();
		}, PTY_PRESENCE_POLL_MS);
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

	#ready({ readable, hangup }: FdConditions): void {
		if (!this.#reader) return;
		if (readable || hangup) this.#read(hangup);
		if (hangup) this.#leave();
		else this.#flush();
	}

	/** What was typed before the slave was closed is read to the end, whatever the queue's state: the kernel holds little. */
	#read(toTheEnd: boolean): void {
		for (let turn = 0; turn < PTY_CHUNKS_PER_TURN; turn++) {
			if (!toTheEnd && !this.#backend.input.hasRoom) return;
			const bytes = this.#pty.read();
			if (bytes.length === 0) return;
			this.#backend.type(this, bytes);
		}
	}

	#flush(): void {
		this.#full = false;
		for (let turn = 0; this.#reader && turn < PTY_CHUNKS_PER_TURN && !this.#full; turn++) {
			const { bytes } = this.#reader.peek(PTY_CHUNK_BYTES);
			if (bytes.length === 0) break;
			const count = this.#pty.write(bytes);
			this.#full = count < bytes.length;
			this.#reader.take(count);
		}
		if (this.#reader) this.#watch();
		if (this.#backend.ended !== undefined) this.finish();
	}

	#watch(): void {
		const writable = this.#full || this.#reader?.drained === false;
		this.#pty.watch({ readable: this.#backend.input.hasRoom, writable });
	}
}
