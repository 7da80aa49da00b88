import type { Lab } from "@bulkhead/lab";
import type { Summary } from "../statistics.ts";
import type { ProcessesOfRun } from "./count-processes.ts";
import type { RequestsOfRun } from "./count-requests.ts";
import type { MemoryPoint } from "./measure-memory.ts";
import type { PairCase, Round } from "./timed-pairs.ts";

export interface ByProgram<T> {
	xl: T;
	bulkhead: T;
}

/** Everything that one run of the bench found; parts that were left out are absent. */
export interface CreateResults {
	startedAt: string;
	endedAt: string;
	commit: string;
	lab: ReturnType<Lab["describe"]>;
	/** Other domains ran meanwhile: no figures to go by. */
	isShared: boolean;
	/** Load average of dom0 and of the machine around it when the measuring began. */
	loadBefore: { dom0: string; machine: number };
	cases: { pairCase: PairCase; rounds: Round[] }[];
	/** Milliseconds from start to end of a command that does little, by its command line. */
	starts?: Record<string, Summary>;
	requests?: ByProgram<RequestsOfRun>;
	processes?: ByProgram<ProcessesOfRun>;
	memory?: ByProgram<MemoryPoint[]>;
}
