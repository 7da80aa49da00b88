import type { FdConditions, HostDevices } from "@bulkhead/hypervisor";
import { PTY_CHUNKS_PER_TURN, PTY_PRESENCE_POLL_MS, type PtyFiles, PtyMaster } from "../serve/pty-master.ts";
import type { ChannelDoor } from "./channel-door.ts";
import type { ChannelEnd, ChannelRing } from "./channel-ring.ts";

/** Of what is left when the slave is closed: the kernel holds 64 KiB, in pieces as small as they were written. */
const CHUNKS_AT_END = 1024;

/** A channel as a pseudo-terminal in raw mode: who has the slave open is its client. */
export class PtyDoor implements ChannelDoor, ChannelEnd {
	readonly #ring: ChannelRing;
	readonly #pty: PtyMaster;
	readonly #presence: NodeJS.Timeout;
	#open = false;
	#full = false;
	#closed = false;

	/** @throws HypervisorError ENOSYS on a host without ptys */
	constructor(devices: HostDevices, ring: ChannelRing, files?: PtyFiles) {
		this.#ring = ring;
		this.#pty = PtyMaster.open(devices, (ready) => this.#ready(ready), files);
		this.#presence = setInterval(() => this.#look(), PTY_PRESENCE_POLL_MS);
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
		this.#pty.close();
	}

	take(bytes: Uint8Array): number {
		const written = this.#pty.write(bytes);
		this.#full = written < bytes.length;
		if (this.#full) this.#watch();
		return written;
	}

	inputRoomAgain(): void {
		this.#watch();
	}

	#look(): void {
		if (this.#open) return;
		const { readable, hangup } = this.#pty.look();
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
		this.#pty.watch({});
		this.#ring.leave(this);
	}

	#ready({ readable, writable, hangup }: FdConditions): void {
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
		for (let turn = 0; turn < (toTheEnd ? CHUNKS_AT_END : PTY_CHUNKS_PER_TURN); turn++) {
			if (!toTheEnd && !this.#ring.hasInputRoom) return;
			const bytes = this.#pty.read();
			if (bytes.length === 0) return;
			this.#ring.give(bytes);
		}
	}

	#watch(): void {
		if (this.#open) this.#pty.watch({ readable: this.#ring.hasInputRoom, writable: this.#full });
	}
}
