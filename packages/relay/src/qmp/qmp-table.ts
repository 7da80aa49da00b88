import type { AttachedQmp, AttachQmp, QmpStatus, RelayNotifications } from "@bulkhead/api/relay";
import { BulkheadError, printable, serializeError, type Uuid } from "@bulkhead/base";
import type { RelayLog } from "../relay-log.ts";
import type { QmpDialer } from "./qmp-dialer.ts";
import type { QmpPolicy } from "./qmp-policy.ts";
import { QmpSession } from "./qmp-session.ts";

export interface QmpTableOptions {
	dial: QmpDialer;
	policy: QmpPolicy;
	log: RelayLog;
	onEvent: (event: RelayNotifications["qmp-event"]) => void;
	onEnded: (ended: RelayNotifications["qmp-ended"]) => void;
}

/** One QMP session per guest. */
export class QmpTable {
	readonly #options: QmpTableOptions;
	readonly #sessions = new Map<Uuid, QmpSession>();

	constructor(options: QmpTableOptions) {
		this.#options = options;
	}

	/** Of one guest when it is named. */
	list(guest?: Uuid): AttachedQmp[] {
		const sessions = [...this.#sessions.values()].filter(({ request }) => !guest || request.guest === guest);
		return sessions.map((session) => session.describe());
	}

	/** The same place again: the state of what exists. Another place: the old session is closed. */
	async attach(request: AttachQmp): Promise<QmpStatus> {
		const found = this.#sessions.get(request.guest);
		if (found && isSame(found.request, request)) return found.status();
		found?.close();
		const session = this.#open(request);
		this.#sessions.set(request.guest, session);
		try {
			const status = await session.status();
			this.#options.log.info({ guest: request.guest, domid: request.domid, ...status }, "Connected to a guest's QEMU");
			return status;
		} catch (error) {
			session.close();
			if (this.#sessions.get(request.guest) === session) this.#sessions.delete(request.guest);
			throw error;
		}
	}

	detach(guest: Uuid): void {
		this.#sessions.get(guest)?.close();
		this.#sessions.delete(guest);
	}

	async execute(
		guest: Uuid,
		command: string,
		args: Record<string, unknown> | undefined,
		timeoutMs: number,
	): Promise<unknown> {
		const session = this.#sessions.get(guest);
		if (!session)
			throw new BulkheadError("no-such-qmp", `Guest ${guest} has no QMP session here`, {
				remedy: "See whether the guest runs and has a device model",
			});
		return session.execute(command, args, timeoutMs);
	}

	stop(): void {
		for (const guest of [...this.#sessions.keys()]) this.detach(guest);
	}

	#open(request: AttachQmp): QmpSession {
		const { guest, domid } = request;
		const { dial, policy, log, onEvent, onEnded } = this.#options;
		const session = new QmpSession({
			request,
			dial,
			policy,
			onEvent: (event) => onEvent({ guest, ...event }),
			onEnded: (error) => {
				if (this.#sessions.get(guest) === session) this.#sessions.delete(guest);
				log.warn({ guest, domid, error: serializeError(error) }, "Lost a guest's QEMU");
				onEnded({ guest, domid, reason: printable(error.message) });
			},
		});
		return session;
	}
}

function isSame(one: AttachQmp, other: AttachQmp): boolean {
	if ("path" in one) return "path" in other && one.path === other.path;
	if ("path" in other) return false;
	return one.domid === other.domid && one.ringRef === other.ringRef && one.remotePort === other.remotePort;
}
