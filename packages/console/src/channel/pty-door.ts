import * as fs from "node:fs";
import { errnoOf } from "@bulkhead/base";
import type { FdPoll, HostDevices, Pty } from "@bulkhead/hypervisor";
import type { PtyFiles } from "../serve/pty-terminal.ts";
import type { ChannelDoor } from "./channel-door.ts";
import type { ChannelEnd, ChannelRing } from "./channel-ring.ts";

const CHUNK_BYTES = 4096;
const CHUNKS_PER_TURN = 16;
/** Of what is left when the slave is closed: the kernel holds 64 KiB, in pieces as small as they were written. */
const CHUNKS_AT_END = 1024;
/** Linux has no event for "somebody opened the slave": a look now and then, only while nobody has it. */
const PRESENCE_POLL_MS = 200;

/** A channel as a pseudo-terminal in raw mode: who has the slave open is its client. */
export class PtyDoor implements ChannelDoor, ChannelEnd {
	readonly #ring: ChannelRing;
	readonly #devices: Pick<HostDevices, "pollFd">;
	readonly #files: PtyFiles;
	readonly #pty: Pty;
	readonly #poll: FdPoll;
	readonly #buffer: Uint8Array = new Uint8Array(CHUNK_BYTES);
	readonly #presence: NodeJS.Timeout;
	#open = false;
	#full = false;
	#closed = false;

	/** Frees the pty again when anything fails. @throws HypervisorError ENOSYS on a host without ptys */
	static open(devices: HostDevices, ring: ChannelRing, files: PtyFiles = fs): PtyDoor {
		const pty = devices.openPty();
		try {
			return new PtyDoor(devices, ring, files, pty);
		} catch (error) {
			files.closeSync(pty.masterFd);
			throw error;
		}
	}

	private constructor(devices: HostDevices, ring: ChannelRing, files: PtyFiles, pty: Pty) {
		this.#ring = ring;
		this.#devices = devices;
		this.#files = files;
		this.#pty = pty;
		this.#poll = devices.pollLoop(pty.masterFd, (ready) => this.#ready(ready));
		this.#presence = setInterval(() => this.#look(), PRESENCE_POLL_MS);
		this.#presence.unref();
	}

	get ptyPath(): string {
		return this.#pty.path;
	}

	get clients(): number {
		return this.#open ? 1 : 0;
	}

	/** Hangs up: who has the slave open reads an end. */
	close(): void {
		if (this.#closed) return;
		this.#closed = true;
		clearInterval(this.#presence);
		this.#leave();
		this.#poll.close();
		this.#files.closeSync(this.#pty.masterFd);
	}

	take(bytes: Uint8Array): number {
		let written = 0;
		try {
			written = this.#files.writeSync(this.#pty.masterFd, bytes, 0, bytes.length);
		} catch (error) {
			if (!isOneOf(error, "EAGAIN", "EIO")) throw error;
		}
		this.#full = written < bytes.length;
		if (this.#full) this.#watch();
		return written;
	}

	inputRoomAgain(): void {
		this.#watch();
	}

	#look(): void {
		if (this.#open) return;
		const { readable, hangup } = this.#devices.pollFd(this.#pty.masterFd);
		// Somebody was there between two looks.
		if (hangup && readable) this.#read(true);
		if (hangup) return;
		this.#open = true;
		this.#full = false;
		this.#ring.join(this);
		this.#watch();
	}

	#leave(): void {
		if (!this.#open) return;
		this.#open = false;
		this.#poll.watch({});
		this.#ring.leave(this);
	}

	#ready({ readable, writable, hangup }: { readable: boolean; writable: boolean; hangup: boolean }): void {
		if (!this.#open) return;
		if (readable || hangup) this.#read(hangup);
		if (hangup) {
			this.#leave();
			return;
		}
		if (writable && this.#full) {
			this.#full = false;
			this.#ring.outputRoomAgain();
		}
		this.#watch();
	}

	/** What was written before the slave was closed is read to the end, whatever room there is. */
	#read(toTheEnd: boolean): void {
		for (let turn = 0; turn < (toTheEnd ? CHUNKS_AT_END : CHUNKS_PER_TURN); turn++) {
			if (!toTheEnd && !this.#ring.hasInputRoom) return;
			let count: number;
			try {
				count = this.#files.readSync(this.#pty.masterFd, this.#buffer, 0, CHUNK_BYTES, null);
			} catch (error) {
				if (isOneOf(error, "EAGAIN", "EIO")) return;
				throw error;
			}
			if (count === 0) return;
			this.#ring.give(this.#buffer.slice(0, count));
		}
	}

	#watch(): void {
		if (this.#open) this.#poll.watch({ readable: this.#ring.hasInputRoom, writable: this.#full });
	}
}

function isOneOf(error: unknown, ...errnos: string[]): boolean {
	return errnos.includes(errnoOf(error) ?? "");
}
