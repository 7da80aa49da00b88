import { CancelledError, DeadlineError, withDeadline } from "@bulkhead/base";
import { StepFailedError } from "./errors.ts";

/** Anything with a name that an executor knows how to run. */
export interface NamedStep {
	readonly name: string;
}

/** Steps to run one after the other or side by side. */
export type Plan<S extends NamedStep> =
	| { readonly kind: "step"; readonly step: S }
	| { readonly kind: "serial"; readonly plans: readonly Plan<S>[] }
	| { readonly kind: "parallel"; readonly plans: readonly Plan<S>[] };

export const step = <S extends NamedStep>(value: S): Plan<S> => ({ kind: "step", step: value });
export const serial = <S extends NamedStep>(...plans: Plan<S>[]): Plan<S> => ({ kind: "serial", plans });
export const parallel = <S extends NamedStep>(...plans: Plan<S>[]): Plan<S> => ({ kind: "parallel", plans });

/** Every step of a plan in the order of reading. */
export function stepsOf<S extends NamedStep>(plan: Plan<S>): S[] {
	return plan.kind === "step" ? [plan.step] : plan.plans.flatMap(stepsOf);
}

export interface StepAction<S, Context> {
	/** What is being done, for a person: "Building the stub domain". */
	title(step: S): string;
	/** The longest this step may take. */
	timeoutMs: number;
	run(step: S, context: Context, signal: AbortSignal): Promise<void>;
	/** Takes back what `run` did, wholly or in part; safe to repeat and safe when `run` never got far. */
	undo?(step: S, context: Context): Promise<void>;
}

/** One action for each step of the union: a forgotten one does not compile. */
export type StepActions<S extends NamedStep, Context> = {
	readonly [Name in S["name"]]: StepAction<Extract<S, { name: Name }>, Context>;
};

export interface StepProgress {
	step: string;
	title: string;
	state: "start" | "done" | "failed" | "undone" | "undo-failed";
	/** Since the step (or its undoing) began. */
	ms: number;
}

export interface ExecuteOptions<Context> {
	context: Context;
	signal?: AbortSignal;
	onProgress?: (progress: StepProgress) => void;
	/** Test hook: called when a step has run; throwing makes the step fail with all its effects in place. */
	afterStep?: (index: number, step: NamedStep) => void;
}

/**
 * Runs a plan. When a step fails, or the signal aborts, the steps under way are waited for, everything that was
 * begun is undone in reverse order, and the first failure is thrown. A failing undo is reported and does not stop the
 * others.
 * @throws StepFailedError (cause: what the step threw), CancelledError
 */
export async function execute<S extends NamedStep, Context>(
	plan: Plan<S>,
	actions: StepActions<S, Context>,
	options: ExecuteOptions<Context>,
): Promise<void> {
	const run = new Execution(actions, options);
	try {
		await run.perform(plan);
	} catch (error) {
		await run.undo();
		throw error;
	}
}

class Execution<S extends NamedStep, Context> {
	readonly #actions: StepActions<S, Context>;
	readonly #options: ExecuteOptions<Context>;
	readonly #stop = new AbortController();
	readonly #begun: S[] = [];
	#finished = 0;

	constructor(actions: StepActions<S, Context>, options: ExecuteOptions<Context>) {
		this.#actions = actions;
		this.#options = options;
	}

	async perform(plan: Plan<S>): Promise<void> {
		if (plan.kind === "step") return this.#runStep(plan.step);
		if (plan.kind === "serial") {
			for (const part of plan.plans) await this.perform(part);
			return;
		}
		const results = await Promise.allSettled(plan.plans.map((part) => this.perform(part)));
		const failures = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
		const first = failures.find((failure) => !(failure instanceof CancelledError)) ?? failures[0];
		if (first !== undefined) throw first;
	}

	async undo(): Promise<void> {
		for (const begun of this.#begun.reverse()) {
			const action = this.#actionOf(begun);
			if (!action.undo) continue;
			const since = performance.now();
			try {
				await withDeadline(action.undo(begun, this.#options.context), {
					timeoutMs: action.timeoutMs,
					what: `undoing “${action.title(begun)}”`,
				});
				this.#report(begun, "undone", since);
			} catch {
				this.#report(begun, "undo-failed", since);
			}
		}
	}

	async #runStep(current: S): Promise<void> {
		const { signal: outer, context, afterStep } = this.#options;
		const signal = outer ? AbortSignal.any([outer, this.#stop.signal]) : this.#stop.signal;
		const action = this.#actionOf(current);
		if (signal.aborted) throw new CancelledError(`Cancelled before “${action.title(current)}”`);
		const since = performance.now();
		this.#begun.push(current);
		this.#report(current, "start", since);
		try {
			await this.#withinDeadline(action, current, context, signal);
			afterStep?.(this.#finished++, current);
			this.#report(current, "done", since);
		} catch (cause) {
			this.#report(current, "failed", since);
			this.#stop.abort(cause);
			if (cause instanceof CancelledError) throw cause;
			throw new StepFailedError(current.name, action.title(current), cause);
		}
	}

	/** The step is told to stop at its deadline, and is waited for: nothing of it may run on beside its own undoing. */
	async #withinDeadline(
		action: StepAction<S, Context>,
		current: S,
		context: Context,
		signal: AbortSignal,
	): Promise<void> {
		const limit = AbortSignal.timeout(action.timeoutMs);
		try {
			await action.run(current, context, AbortSignal.any([signal, limit]));
		} catch (cause) {
			if (!limit.aborted || signal.aborted) throw cause;
			throw new DeadlineError(`“${action.title(current)}” took longer than ${action.timeoutMs} ms`, { cause });
		}
	}

	#actionOf(current: S): StepAction<S, Context> {
		return this.#actions[current.name as S["name"]] as StepAction<S, Context>;
	}

	#report(current: S, state: StepProgress["state"], since: number): void {
		this.#options.onProgress?.({
			step: current.name,
			title: this.#actionOf(current).title(current),
			state,
			ms: Math.round(performance.now() - since),
		});
	}
}
