import { API } from "@bulkhead/api";
import { InvalidInputError } from "@bulkhead/base";

/** What is under way and can be cancelled by the name that its client gave it (API.operationHeader). */
export class Operations {
	readonly #running = new Map<string, AbortController>();

	/** Runs an operation under its name, if it has one; the signal aborts on `cancel` and with the outer one. */
	async run<T>(name: string | undefined, outer: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
		if (name === undefined) return work(outer);
		if (this.#running.has(name))
			throw new InvalidInputError(`An operation named ${name.slice(0, 64)} is under way`, {
				remedy: `Give each operation a uuid of its own in ${API.operationHeader}`,
			});
		const controller = new AbortController();
		this.#running.set(name, controller);
		try {
			return await work(AbortSignal.any([outer, controller.signal]));
		} finally {
			this.#running.delete(name);
		}
	}

	/** @throws InvalidInputError `no-such-operation` */
	cancel(name: string): void {
		const controller = this.#running.get(name);
		if (!controller)
			throw new InvalidInputError(
				"There is no such operation under way",
				{ remedy: "It has ended already" },
				"no-such-operation",
			);
		controller.abort(new Error("Cancelled by its client"));
	}
}
