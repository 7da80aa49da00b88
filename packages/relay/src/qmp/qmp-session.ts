import { setMaxListeners } from "node:events";
import type { AttachedQmp, AttachQmp, QmpStatus } from "@bulkhead/api/relay";
import { CancelledError, DeadlineError, delay, ProtocolError, TokenBucket, withDeadline } from "@bulkhead/base";
import type { QmpVersion } from "@bulkhead/qmp";
import { checkResult } from "@bulkhead/qmp/commands";
import type { RelayLog } from "../relay-log.ts";
import { type QmpAsker, QmpAudit } from "./qmp-audit.ts";
import type { QmpConnection, QmpDialer, QmpEvent } from "./qmp-dialer.ts";
import { checkCommand, isFitEvent, type QmpCommand, type QmpPolicy } from "./qmp-policy.ts";
import { Slots } from "./slots.ts";

export interface QmpSessionOptions {
	request: AttachQmp;
	dial: QmpDialer;
	policy: QmpPolicy;
	log: RelayLog;
	onEvent: (event: QmpEvent) => void;
	/** The session is over, not by `close`. */
	onEnded: (error: Error) => void;
}

/** A QEMU that was left in haste may greet nobody for a while, or the wrong one: each attempt has its own limit. */
const ATTEMPT_MS = 3000;
const RETRY_MS = { first: 100, most: 1000 } as const;
const STATUS_MS = 10_000;
/** Commands of the toolstack at once: it does not wait for others. */
const TOOLSTACK_SLOTS = 8;

/** The relay's conversation with one guest's QEMU, from the first attempt to the end. */
export class QmpSession {
	readonly request: AttachQmp;
	readonly #options: QmpSessionOptions;
	readonly #stop = new AbortController();
	readonly #events: TokenBucket;
	readonly #connecting: Promise<QmpConnection>;
	#connection: QmpConnection | undefined;
	readonly #audit: QmpAudit;
	readonly #slots: Slots;
	readonly #ownSlots = new Slots(TOOLSTACK_SLOTS);
	#passed = 0;
	#dropped = 0;

	constructor(options: QmpSessionOptions) {
		this.request = options.request;
		this.#options = options;
		this.#events = new TokenBucket(options.policy.events);
		this.#slots = new Slots(options.policy.inFlight);
		this.#audit = new QmpAudit(options.request.guest, options.log);
		// Each command that waits listens.
		setMaxListeners(0, this.#stop.signal);
		this.#connecting = this.#connect();
		this.#connecting.catch(() => {}); // Told by `status`.
	}

	/** What QEMU says of itself, while the session is there. */
	get version(): QmpVersion | undefined {
		return this.#connection?.version;
	}

	/** @param clients connected to its sockets */
	describe(clients: number): AttachedQmp {
		const { greetingTimeoutMs: _, ...place } = this.request;
		return {
			...place,
			state: this.#connection ? "connected" : "connecting",
			...(this.#connection ? { qemuVersion: formatVersion(this.#connection.version) } : {}),
			events: this.#passed,
			droppedEvents: this.#dropped,
			clients,
		};
	}

	/** Awaits the connection and asks QEMU how it is. @throws DeadlineError, CancelledError, ProtocolError, … */
	async status(): Promise<QmpStatus> {
		const connection = await this.#connecting;
		const answer = await connection.execute("query-status", undefined, { timeoutMs: STATUS_MS });
		return { qemuVersion: formatVersion(connection.version), status: statusOf(answer) };
	}

	/**
	 * One command, if the policy allows it; its answer, if it has the form it should have. While the session is being made,
	 * waiting for it counts as part of the time.
	 */
	async execute(command: QmpCommand & QmpAsker): Promise<unknown> {
		const started = performance.now();
		try {
			checkCommand(this.#options.policy, command);
			const answer = await this.#ask(command);
			checkResult(command.command, answer);
			this.#audit.done(command, performance.now() - started);
			return answer;
		} catch (error) {
			this.#audit.failed(command, performance.now() - started, error);
			throw error;
		}
	}

	async #ask({ role, command, args, oob, timeoutMs }: QmpCommand): Promise<unknown> {
		const deadline = performance.now() + timeoutMs;
		const wait = { timeoutMs, signal: this.#stop.signal, what: "the guest's QEMU to greet" };
		const connection = this.#connection ?? (await withDeadline(this.#connecting, wait));
		const leftMs = (): number => Math.max(1, Math.ceil(deadline - performance.now()));
		const slots = role === "toolstack" ? this.#ownSlots : this.#slots;
		return slots.run(() => connection.execute(command, args, { timeoutMs: leftMs(), ...(oob && { oob }) }), {
			timeoutMs: leftMs(),
			signal: this.#stop.signal,
			what: `a turn for ${command} among the commands for the guest's QEMU`,
		});
	}

	/** Idempotent. */
	close(): void {
		this.#stop.abort(new CancelledError("The QMP session was closed"));
		this.#connection?.close();
		this.#connection = undefined;
	}

	async #connect(): Promise<QmpConnection> {
		const { greetingTimeoutMs } = this.request;
		const deadline = performance.now() + greetingTimeoutMs;
		let last: unknown;
		for (let pauseMs: number = RETRY_MS.first; ; pauseMs = Math.min(2 * pauseMs, RETRY_MS.most)) {
			const leftMs = deadline - performance.now();
			if (leftMs <= 0) break;
			try {
				return await this.#attempt(Math.min(leftMs, ATTEMPT_MS));
			} catch (error) {
				if (this.#stop.signal.aborted) throw error;
				last = error;
			}
			await delay(Math.max(0, Math.min(pauseMs, deadline - performance.now())), this.#stop.signal);
		}
		throw new DeadlineError(`The guest's QEMU did not greet within ${greetingTimeoutMs} ms`, {
			remedy: "Look into the stub domain's console for QEMU's own words",
			fields: { guest: this.request.guest, domid: this.request.domid, timeoutMs: greetingTimeoutMs },
			cause: last,
		});
	}

	async #attempt(timeoutMs: number): Promise<QmpConnection> {
		let connection: QmpConnection | undefined;
		let lost: Error | undefined;
		const dialled = await this.#options.dial(this.request, {
			timeoutMs,
			signal: this.#stop.signal,
			onEvent: (event) => this.#pass(event),
			onClosed: (error) => {
				lost = error;
				if (connection && this.#connection === connection) this.#lose(error);
			},
		});
		if (lost) throw lost;
		if (this.#stop.signal.aborted) {
			dialled.close();
			throw this.#stop.signal.reason;
		}
		connection = dialled;
		this.#connection = dialled;
		return dialled;
	}

	#lose(error: Error): void {
		this.#connection = undefined;
		this.#stop.abort(error);
		this.#options.onEnded(error);
	}

	#pass(event: QmpEvent): void {
		if (!isFitEvent(this.#options.policy, event) || !this.#events.take()) {
			this.#dropped++;
			return;
		}
		this.#passed++;
		this.#options.onEvent(event);
	}
}

function formatVersion({ major, minor, micro }: QmpVersion): string {
	return major < 0 || minor < 0 || micro < 0 ? "unknown" : `${major}.${minor}.${micro}`;
}

function statusOf(answer: unknown): string {
	const status: unknown = typeof answer === "object" && answer !== null ? Reflect.get(answer, "status") : undefined;
	if (typeof status === "string" && /^[a-z-]{1,64}$/.test(status)) return status;
	throw new ProtocolError("QEMU's answer to query-status is malformed");
}
