import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import type { Uuid } from "@bulkhead/base";
import { listen, removeSocket } from "@bulkhead/console";
import type { QmpVersion } from "@bulkhead/qmp";
import type { RelayLog } from "../../relay-log.ts";
import type { QmpAsker } from "../qmp-audit.ts";
import type { QmpEvent } from "../qmp-dialer.ts";
import type { QmpCommand, QmpPolicy, QmpRole } from "../qmp-policy.ts";
import { LocalClient } from "./local-client.ts";

export interface GuestSocketsOptions {
	guest: Uuid;
	/** `<role>.sock` go here. */
	directory: string;
	policy: QmpPolicy;
	version: QmpVersion;
	/** Root, or the relay's own user. */
	admit: (socket: Socket) => boolean;
	execute: (command: QmpCommand & QmpAsker) => Promise<unknown>;
	log: RelayLog;
}

/** Who may connect is the file's mode; for operators the process at the other end is looked at, too. */
const MODES = { operator: 0o600, reader: 0o660, monitor: 0o660 } as const;
const ROLES = Object.keys(MODES) as (keyof typeof MODES)[];

/** The QMP sockets of one guest, one for each role: any number of clients over the one session with its QEMU. */
export class GuestSockets {
	static #lastClient = 0;
	readonly #options: GuestSocketsOptions;
	readonly #servers = new Map<string, Server>();
	readonly #clients = new Map<Socket, LocalClient>();

	/** @throws BulkheadError `cannot-listen`; InvalidInputError for a path that is too long */
	static async open(options: GuestSocketsOptions): Promise<GuestSockets> {
		const sockets = new GuestSockets(options);
		try {
			mkdirSync(options.directory, { recursive: true });
			// The way to the sockets is open to the relay's group, whatever the umask is.
			for (const directory of [join(options.directory, ".."), options.directory]) chmodSync(directory, 0o750);
			for (const role of ROLES) await sockets.#listen(role);
			return sockets;
		} catch (error) {
			sockets.close();
			throw error;
		}
	}

	private constructor(options: GuestSocketsOptions) {
		this.#options = options;
	}

	get clients(): number {
		return this.#clients.size;
	}

	tell(event: QmpEvent): void {
		for (const client of this.#clients.values()) client.tell(event);
	}

	/** Idempotent. */
	close(): void {
		for (const [path, server] of this.#servers) {
			server.close();
			removeSocket(path);
		}
		this.#servers.clear();
		for (const client of this.#clients.values()) client.close();
		rmSync(this.#options.directory, { recursive: true, force: true });
	}

	async #listen(role: keyof typeof MODES): Promise<void> {
		const path = join(this.#options.directory, `${role}.sock`);
		let count = 0;
		const server = createServer((socket) => {
			if (count >= this.#options.policy.clients || (role === "operator" && !this.#options.admit(socket))) {
				socket.destroy();
				return;
			}
			count++;
			socket.once("close", () => count--);
			this.#serve(role, socket);
		});
		await listen(server, path);
		this.#servers.set(path, server);
		chmodSync(path, MODES[role]);
	}

	#serve(role: QmpRole, socket: Socket): void {
		const { policy, version, execute, log, guest } = this.#options;
		const number = ++GuestSockets.#lastClient;
		socket.once("close", () => this.#clients.delete(socket));
		const onDropped = (reason: string): void =>
			log.warn({ guest, role, client: number, reason }, "Let a QMP client go");
		this.#clients.set(socket, new LocalClient({ socket, number, role, policy, version, execute, onDropped }));
	}
}
