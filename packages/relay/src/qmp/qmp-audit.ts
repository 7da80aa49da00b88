import { BulkheadError, printable, TokenBucket, type Uuid } from "@bulkhead/base";
import type { RelayLog } from "../relay-log.ts";
import { HMP_COMMAND, isLooking } from "./hmp-policy.ts";
import type { QmpCommand } from "./qmp-policy.ts";

/** Who gave a command, as far as it can be told. */
export interface QmpAsker {
	/** Counts the connections of one relay. */
	client?: number;
}

/** Of refusals: a client that asks for what it may not have shall not fill the log. */
const REFUSALS = { burst: 20, perSecond: 1 };

/**
 * Who told a guest's QEMU what: each command that may change something, and each that was refused. Never its arguments'
 * values (a password may be among them) nor QEMU's answer.
 */
export class QmpAudit {
	readonly #guest: Uuid;
	readonly #log: RelayLog;
	readonly #refusals = new TokenBucket(REFUSALS);
	#untold = 0;

	constructor(guest: Uuid, log: RelayLog) {
		this.#guest = guest;
		this.#log = log;
	}

	done(command: QmpCommand & QmpAsker, ms: number): void {
		if (!isQuery(command)) this.#log.info({ ...this.#facts(command), ms: Math.round(ms) }, "QMP command");
	}

	failed(command: QmpCommand & QmpAsker, ms: number, error: unknown): void {
		if (!this.#refusals.take()) {
			this.#untold++;
			return;
		}
		const code = error instanceof BulkheadError ? error.code : "internal";
		const untold = this.#untold === 0 ? {} : { untoldBefore: this.#untold };
		this.#untold = 0;
		this.#log.warn({ ...this.#facts(command), ms: Math.round(ms), code, ...untold }, "QMP command failed");
	}

	#facts({ role, client, command, args }: QmpCommand & QmpAsker): object {
		const names = Object.keys(args ?? {}).slice(0, 16);
		return {
			guest: this.#guest,
			role,
			...(client === undefined ? {} : { client }),
			command: printable(command, 64),
			...(names.length === 0 ? {} : { arguments: names.map((name) => printable(name, 32)) }),
		};
	}
}

function isQuery({ command, args }: QmpCommand): boolean {
	if (command === HMP_COMMAND) return isLooking(args?.["command-line"]);
	return command.startsWith("query-") || command.startsWith("qom-get") || command.startsWith("qom-list");
}
