/** What goes wrong in one call to a simulated host. */
export interface Fault {
	/** The port and its function: "domains.create", "grants.map", "evtchns.bindInterdomain". */
	call: string;
	/** Only in the process of this name. Default: in any, simulated kernels included. */
	process?: string;
	/** Which call of that name from now on; the first is 1. Default 1. */
	nth?: number;
	/** Refused with this errno, having done nothing. */
	errno?: string;
	/** What the libraries would have logged. */
	log?: readonly string[];
	/** Takes so long, on the host's clock, before anything else happens. Only for calls that answer by a promise. */
	delayMs?: number;
	/** The calling process, or the domain that is called about, dies first. */
	kill?: "process" | "domain";
}

/** The faults that a test has laid out. Each happens once. */
export class SimFaults {
	readonly #armed = new Set<{ fault: Fault; left: number }>();
	/** Calls by process, then by name. */
	readonly #seen = new Map<string, Map<string, number>>();

	inject(fault: Fault): void {
		const left = fault.nth ?? 1;
		if (!Number.isInteger(left) || left < 1) throw new RangeError("Occurrences are counted from 1");
		this.#armed.add({ fault, left });
	}

	/** Calls of this name so far, of all processes. */
	count(call: string): number {
		let count = 0;
		for (const calls of this.#seen.values()) count += calls.get(call) ?? 0;
		return count;
	}

	/** The calls so far of the processes of one name, by their names. */
	countsOf(process: string): ReadonlyMap<string, number> {
		return new Map(this.#seen.get(process));
	}

	clear(): void {
		this.#armed.clear();
	}

	/** @throws Error naming the faults that have not happened: the test waited for something that never came */
	assertSpent(): void {
		const left = [...this.#armed].map(({ fault }) => fault.call);
		if (left.length > 0) throw new Error(`Faults that never happened: ${left.join(", ")}`);
	}

	/** @internal Notes a call and answers what goes wrong with it. */
	take(call: string, process: string): Fault | undefined {
		const calls = this.#seen.get(process) ?? new Map<string, number>();
		this.#seen.set(process, calls.set(call, (calls.get(call) ?? 0) + 1));
		let due: Fault | undefined;
		for (const armed of this.#armed) {
			const { fault } = armed;
			if (fault.call !== call || (fault.process !== undefined && fault.process !== process)) continue;
			if (--armed.left > 0 || due) continue;
			this.#armed.delete(armed);
			due = fault;
		}
		return due;
	}
}
