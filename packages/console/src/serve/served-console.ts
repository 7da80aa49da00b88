import { type HostDevices, HypervisorError } from "@bulkhead/hypervisor";
import { ConsoleBackend, type ConsoleBackendOptions } from "../backend/console-backend.ts";
import { WriterSeat } from "../backend/writer-seat.ts";
import type { ClientSocket } from "./client-socket.ts";
import type { PtyFiles } from "./pty-master.ts";
import { PtyTerminal } from "./pty-terminal.ts";
import { openRawSocket } from "./raw-socket.ts";

export interface ServeConsoleOptions extends ConsoleBackendOptions {
	/** Where the raw socket is put; its directory must exist. */
	socketPath: string;
	devices: HostDevices;
	/** Also offer a pseudo-terminal, on a host that has them. */
	pty: boolean;
	/** How the pty is read and written: for tests on fake ones. */
	ptyFiles?: PtyFiles;
}

/** Longest that `close` waits for readers to take what is left: a little above what each socket gives itself. */
const DRAIN_MS = 6000;

/** One console with everything that serves it: ring, journal, raw socket and, if asked for, a pty. */
export class ServedConsole {
	readonly backend: ConsoleBackend;
	readonly seat: WriterSeat;
	readonly #socket: ClientSocket;
	readonly #pty: PtyTerminal | undefined;

	/** On failure nothing is held but the journal, which stays the caller's. @throws HypervisorError, ProtocolError, BulkheadError */
	static async open(options: ServeConsoleOptions): Promise<ServedConsole> {
		const backend = ConsoleBackend.attach(options);
		const seat = new WriterSeat();
		let pty: PtyTerminal | undefined;
		try {
			pty = options.pty ? openPty(options, backend) : undefined;
			const socket = await openRawSocket(options.socketPath, { backend, seat, devices: options.devices });
			return new ServedConsole(backend, seat, socket, pty);
		} catch (error) {
			pty?.close();
			backend.end("not served");
			throw error;
		}
	}

	private constructor(backend: ConsoleBackend, seat: WriterSeat, socket: ClientSocket, pty: PtyTerminal | undefined) {
		this.backend = backend;
		this.seat = seat;
		this.#socket = socket;
		this.#pty = pty;
	}

	get ptyPath(): string | undefined {
		return this.#pty?.path;
	}

	get socketPath(): string {
		return this.#socket.path;
	}

	/**
	 * Lets go of the ring at once and of the readers when they have taken what is left, or after some seconds; then the
	 * journal is closed. The returned promise says when; whoever attaches anew need not await it.
	 */
	async close(reason: string): Promise<void> {
		this.backend.end(reason);
		this.#socket.close();
		this.#pty?.finish();
		await this.backend.readersGone(DRAIN_MS);
		this.#pty?.close();
		this.backend.release();
	}

	/** Lets go of everything now; the guest's last bytes are in the journal. */
	destroy(): void {
		this.backend.end("closed");
		this.#socket.destroy();
		this.#pty?.close();
		this.backend.release();
	}
}

/** Undefined on a host without ptys (ENOSYS): the sockets serve all the same. */
function openPty({ devices, ptyFiles }: ServeConsoleOptions, backend: ConsoleBackend): PtyTerminal | undefined {
	try {
		return new PtyTerminal(devices, backend, ptyFiles);
	} catch (error) {
		if (error instanceof HypervisorError && error.errno === "ENOSYS") return undefined;
		throw error;
	}
}
