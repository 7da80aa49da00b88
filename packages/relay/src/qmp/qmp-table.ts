import type { Socket } from "node:net";
import { join } from "node:path";
import type { AttachedQmp, AttachQmp, QmpStatus, RelayNotifications } from "@bulkhead/api/relay";
import { BulkheadError, Mutex, printable, serializeError, type Uuid } from "@bulkhead/base";
import type { RelayLog } from "../relay-log.ts";
import { GuestSockets, type GuestSocketsOptions } from "./local/guest-sockets.ts";
import type { QmpDialer } from "./qmp-dialer.ts";
import type { QmpCommand, QmpPolicy } from "./qmp-policy.ts";
import { QmpSession } from "./qmp-session.ts";

export interface QmpTableOptions {
	dial: QmpDialer;
	policy: QmpPolicy;
	/** Sockets go to `<guestsDirectory>/<uuid>/qmp/<role>.sock`. */
	guestsDirectory: string;
	/** Whether the process at the other end may act as an operator. */
	admit: (socket: Socket) => boolean;
	log: RelayLog;
	onEvent: (event: RelayNotifications["qmp-event"]) => void;
	onEnded: (ended: RelayNotifications["qmp-ended"]) => void;
}

/** One QMP session per guest. */
export class QmpTable {
	readonly #options: QmpTableOptions;
	readonly #sessions = new Map<Uuid, QmpSession>();
	readonly #sockets = new Map<QmpSession, GuestSockets>();
	readonly #opening = new Mutex();

	constructor(options: QmpTableOptions) {
		this.#options = options;
	}

	/** Of one guest when it is named. */
	list(guest?: Uuid): AttachedQmp[] {
		const sessions = [...this.#sessions.values()].filter(({ request }) => !guest || request.guest === guest);
		return sessions.map((session) => session.describe(this.#sockets.get(session)?.clients ?? 0));
	}

	/** The same place again: the state of what exists. Another place: the old session is closed. */
	async attach(request: AttachQmp): Promise<QmpStatus> {
		const found = this.#sessions.get(request.guest);
		if (found && isSame(found.request, request)) return found.status();
		if (found) this.#close(found);
		const session = this.#open(request);
		this.#sessions.set(request.guest, session);
		try {
			const status = await session.status();
			await this.#openSockets(session);
			this.#options.log.info({ guest: request.guest, domid: request.domid, ...status }, "Connected to a guest's QEMU");
			return status;
		} catch (error) {
			this.#close(session);
			if (this.#sessions.get(request.guest) === session) this.#sessions.delete(request.guest);
			throw error;
		}
	}

	detach(guest: Uuid): void {
		const session = this.#sessions.get(guest);
		if (session) this.#close(session);
		this.#sessions.delete(guest);
	}

	async execute(guest: Uuid, command: QmpCommand): Promise<unknown> {
		const session = this.#sessions.get(guest);
		if (!session)
			throw new BulkheadError("no-such-qmp", `Guest ${guest} has no QMP session here`, {
				remedy: "See whether the guest runs and has a device model",
			});
		return session.execute(command);
	}

	stop(): void {
		for (const guest of [...this.#sessions.keys()]) this.detach(guest);
	}

	#open(request: AttachQmp): QmpSession {
		const { guest, domid } = request;
		const { dial, policy, log, onEvent, onEnded } = this.#options;
		const session: QmpSession = new QmpSession({
			request,
			dial,
			policy,
			log,
			onEvent: (event) => {
				this.#sockets.get(session)?.tell(event);
				onEvent({ guest, ...event });
			},
			onEnded: (error) => {
				this.#close(session);
				if (this.#sessions.get(guest) === session) this.#sessions.delete(guest);
				log.warn({ guest, domid, error: serializeError(error) }, "Lost a guest's QEMU");
				onEnded({ guest, domid, reason: printable(error.message) });
			},
		});
		return session;
	}

	/**
	 * A guest whose sockets cannot be made is served all the same, by the control socket. One after the other: a session and
	 * the one that replaces it use the same paths.
	 */
	#openSockets(session: QmpSession): Promise<void> {
		const { guestsDirectory, policy, admit, log } = this.#options;
		const { guest } = session.request;
		return this.#opening.run(async () => {
			const { version } = session;
			if (!version || this.#sockets.has(session)) return;
			try {
				const directory = join(guestsDirectory, guest, "qmp");
				const execute: GuestSocketsOptions["execute"] = (command) => session.execute(command);
				const sockets = await GuestSockets.open({ guest, directory, policy, version, admit, execute, log });
				// It may have ended meanwhile.
				if (session.version) this.#sockets.set(session, sockets);
				else sockets.close();
			} catch (error) {
				log.error({ guest, error: serializeError(error) }, "Cannot make a guest's QMP sockets");
			}
		});
	}

	#close(session: QmpSession): void {
		this.#sockets.get(session)?.close();
		this.#sockets.delete(session);
		session.close();
	}
}

function isSame(one: AttachQmp, other: AttachQmp): boolean {
	if ("path" in one) return "path" in other && one.path === other.path;
	if ("path" in other) return false;
	return one.domid === other.domid && one.ringRef === other.ringRef && one.remotePort === other.remotePort;
}
