import type { DomId } from "@bulkhead/base";
import { attempt, attemptAsync } from "../../refusal.ts";
import { pause, type SimClock } from "../clock.ts";
import type { Fault, SimFaults } from "./faults.ts";
import { SimFailure } from "./sim-failure.ts";

export interface CallsParts {
	clock: SimClock;
	faults: SimFaults;
	/** The process's name. */
	process: string;
	isEnded: () => boolean;
	endProcess: () => void;
	killDomain: (domid: DomId) => void;
}

export interface CallFacts {
	/** "domains.create" */
	name: string;
	/** "Could not pause domain 3" */
	attempt: string;
	fields?: Record<string, unknown>;
	/** The domain called about. */
	domid?: DomId;
}

/** The gate that every call of one process goes through: faults, and the end of the process. */
export class SimCalls {
	readonly #parts: CallsParts;

	constructor(parts: CallsParts) {
		this.#parts = parts;
	}

	/** @throws HypervisorError */
	run<T>(facts: CallFacts, act: () => T | Promise<T>): Promise<T> {
		return attemptAsync(
			facts.attempt,
			async () => {
				this.#checkAlive(facts);
				const fault = this.#parts.faults.take(facts.name, this.#parts.process);
				if (fault?.delayMs !== undefined) await pause(this.#parts.clock, fault.delayMs);
				this.#happen(fault, facts);
				this.#checkAlive(facts);
				return act();
			},
			facts.fields,
		);
	}

	/** @throws HypervisorError */
	runSync<T>(facts: CallFacts, act: () => T): T {
		return attempt(
			facts.attempt,
			() => {
				this.#checkAlive(facts);
				const fault = this.#parts.faults.take(facts.name, this.#parts.process);
				if (fault?.delayMs !== undefined) throw new TypeError(`${facts.name} answers at once and cannot be delayed`);
				this.#happen(fault, facts);
				this.#checkAlive(facts);
				return act();
			},
			facts.fields,
		);
	}

	#happen(fault: Fault | undefined, { name, domid }: CallFacts): void {
		if (fault?.kill === "process") this.#parts.endProcess();
		if (fault?.kill === "domain" && domid !== undefined) this.#parts.killDomain(domid);
		if (fault?.errno !== undefined) throw new SimFailure(name, fault.errno, [...(fault.log ?? [])]);
	}

	/** A process that has died calls nobody; whoever still holds its objects is told by the errno of a closed device. */
	#checkAlive({ name }: CallFacts): void {
		if (this.#parts.isEnded()) throw new SimFailure(name, "EBADF", ["the process has ended"]);
	}
}
