import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { BulkheadError, withDeadline } from "@bulkhead/base";
import type { Lab } from "@bulkhead/lab";
import { bundleIntoDom0 } from "./bundle-into-dom0.ts";
import type { Answer, CreateTimes, DestroyTimes, Order, RunTimes } from "./dom0/protocol.ts";

const PROGRAM = "/run/bulkhead-bench/observer.mjs";
const START_TIMEOUT_MS = 60_000;
const ORDER_TIMEOUT_MS = 240_000;

/** An order went wrong in dom0: the message is the observer's. */
export class ObserverError extends BulkheadError {}

/** The program in dom0 that starts creates and destroys, one at a time, and takes their times there. */
export class Observer implements AsyncDisposable {
	readonly #child: ChildProcess;
	readonly #answers: AsyncIterator<string>;
	readonly #lines: Interface;

	private constructor(child: ChildProcess) {
		if (!child.stdin || !child.stdout || !child.stderr) throw new TypeError("The observer has no pipes");
		this.#child = child;
		child.stdin.on("error", () => {});
		child.stderr.pipe(process.stderr, { end: false });
		this.#lines = createInterface({ input: child.stdout });
		this.#answers = this.#lines[Symbol.asyncIterator]();
	}

	static async start(lab: Lab): Promise<Observer> {
		await bundleIntoDom0(lab, join(import.meta.dirname, "dom0/main.ts"), PROGRAM);
		const observer = new Observer(lab.spawn(["node", PROGRAM]));
		try {
			await observer.#answer("the observer in dom0", START_TIMEOUT_MS);
		} catch (error) {
			await observer.close();
			throw error;
		}
		return observer;
	}

	create(name: string, by: Extract<Order, { do: "create" }>["by"]): Promise<CreateTimes> {
		return this.#order({ do: "create", name, by }) as Promise<CreateTimes>;
	}

	destroy(by: Extract<Order, { do: "destroy" }>["by"]): Promise<DestroyTimes> {
		return this.#order({ do: "destroy", by }) as Promise<DestroyTimes>;
	}

	/** Runs a program that must succeed, for the time it takes. */
	run(argv: string[]): Promise<RunTimes> {
		return this.#order({ do: "run", argv }) as Promise<RunTimes>;
	}

	/** The program ends with its input. Safe to repeat. */
	async close(): Promise<void> {
		const ended = this.#child.exitCode === null && new Promise((resolve) => this.#child.once("close", resolve));
		this.#child.stdin?.end();
		if (!ended) return;
		await withDeadline(ended, { timeoutMs: 5_000, what: "the observer's end" }).catch(() => this.#child.kill());
		this.#lines.close();
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.close();
	}

	async #order(order: Order): Promise<unknown> {
		this.#child.stdin?.write(`${JSON.stringify(order)}\n`);
		return this.#answer(`“${order.do}” in dom0`, ORDER_TIMEOUT_MS);
	}

	async #answer(what: string, timeoutMs: number): Promise<unknown> {
		const line = await withDeadline(this.#answers.next(), { timeoutMs, what });
		if (line.done) throw new ObserverError("observer-lost", "The observer in dom0 has ended");
		const answer = JSON.parse(line.value) as Answer;
		if (!answer.ok) throw new ObserverError("observer-refused", answer.error);
		return answer.result;
	}
}
