import type { FdConditions, FdPoll, HostDevices, Pty } from "@bulkhead/hypervisor";
import type { PtyFiles } from "../serve/pty-master.ts";

interface FakeSlave {
	open: boolean;
	/** Master → slave, as far as the "kernel" holds it. */
	output: Uint8Array;
	input: Uint8Array;
	watch: { readable?: boolean; writable?: boolean };
	onReady: ((ready: FdConditions) => void) | undefined;
	closed: boolean;
}

const KERNEL_BUFFER_BYTES = 4096;

/** Pseudo-terminals in memory with a slave side for the test to open, and credentials to choose. */
export class FakeDevices implements HostDevices {
	/** What peerCredentials answers. */
	peer: { uid: number; gid: number; pid: number } = {
		uid: process.getuid?.() ?? 0,
		gid: process.getgid?.() ?? 0,
		pid: process.pid,
	};
	/** The file calls that belong to these ptys. */
	readonly files: PtyFiles;
	readonly #ptys = new Map<number, FakeSlave>();
	#hungUp = false;
	#nextFd = 1_000_000;

	constructor() {
		this.files = {
			readSync: ((fd: number, into: Uint8Array) => this.#read(fd, into)) as PtyFiles["readSync"],
			writeSync: ((fd: number, bytes: Uint8Array) => this.#write(fd, bytes)) as PtyFiles["writeSync"],
			closeSync: (fd) => {
				this.#get(fd).closed = true;
				this.#ptys.delete(fd);
			},
		};
	}

	openPty(): Pty {
		const masterFd = this.#nextFd++;
		const none = new Uint8Array(0);
		this.#ptys.set(masterFd, { open: false, output: none, input: none, watch: {}, onReady: undefined, closed: false });
		return { masterFd, path: `/dev/pts/${masterFd}` };
	}

	pollFd(fd: number): FdConditions {
		const pty = this.#ptys.get(fd);
		if (!pty) return { readable: false, writable: true, hangup: this.#hungUp };
		return {
			readable: pty.input.length > 0,
			writable: pty.output.length < KERNEL_BUFFER_BYTES,
			hangup: !pty.open,
		};
	}

	pollLoop(fd: number, onReady: NonNullable<FakeSlave["onReady"]>): FdPoll {
		const pty = this.#get(fd);
		pty.onReady = onReady;
		return {
			watch: (conditions) => {
				pty.watch = conditions;
				this.#kick(fd);
			},
			close: () => {
				pty.onReady = undefined;
			},
		};
	}

	peerCredentials(): { uid: number; gid: number; pid: number } {
		return this.peer;
	}

	/** Lets `pollFd` say of every ordinary descriptor that its other end is gone. */
	hangUpAll(): void {
		this.#hungUp = true;
	}

	/** The slave side by its path. `read` takes what has arrived, `write` types. */
	openSlave(path: string): { read(): Uint8Array; write(bytes: Uint8Array): void; close(): void } {
		const fd = Number(path.slice("/dev/pts/".length));
		const pty = this.#get(fd);
		pty.open = true;
		return {
			read: () => {
				const bytes = pty.output;
				pty.output = new Uint8Array(0);
				this.#kick(fd);
				return bytes;
			},
			write: (bytes) => {
				pty.input = Buffer.concat([pty.input, bytes]);
				this.#kick(fd);
			},
			close: () => {
				pty.open = false;
				pty.output = new Uint8Array(0);
				this.#kick(fd);
			},
		};
	}

	/** @throws Error naming what is open */
	assertIdle(): void {
		if (this.#ptys.size > 0) throw new Error(`Still open: ${this.#ptys.size} ptys`);
	}

	#get(fd: number): FakeSlave {
		const pty = this.#ptys.get(fd);
		if (!pty) throw new Error(`No fake pty has the descriptor ${fd}`);
		return pty;
	}

	#read(fd: number, into: Uint8Array): number {
		const pty = this.#get(fd);
		if (pty.input.length === 0) throw Object.assign(new Error("read"), { code: pty.open ? "EAGAIN" : "EIO" });
		const count = Math.min(into.length, pty.input.length);
		into.set(pty.input.subarray(0, count));
		pty.input = pty.input.subarray(count);
		return count;
	}

	#write(fd: number, bytes: Uint8Array): number {
		const pty = this.#get(fd);
		if (!pty.open) throw new Error("Wrote to a pty that nobody has open");
		const count = Math.min(bytes.length, KERNEL_BUFFER_BYTES - pty.output.length);
		if (count === 0) throw Object.assign(new Error("write"), { code: "EAGAIN" });
		pty.output = Buffer.concat([pty.output, bytes.subarray(0, count)]);
		return count;
	}

	/** Level-triggered, one turn later, like uv_poll. */
	#kick(fd: number): void {
		setImmediate(() => {
			const pty = this.#ptys.get(fd);
			if (!pty?.onReady) return;
			const now = this.pollFd(fd);
			const readable = pty.watch.readable === true && (now.readable || now.hangup);
			const writable = pty.watch.writable === true && (now.writable || now.hangup);
			if (!readable && !writable) return;
			pty.onReady({ readable, writable, hangup: now.hangup });
			if (this.#ptys.has(fd) && (pty.watch.readable || pty.watch.writable)) this.#kick(fd);
		});
	}
}
