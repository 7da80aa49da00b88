/** The time that a simulated host's own delays run on. */
export interface SimClock {
	/** Milliseconds since the host was switched on. */
	now(): number;
	/** Calls once, so many milliseconds from now. The returned function takes it back. */
	after(ms: number, act: () => void): () => void;
}

interface Alarm {
	at: number;
	act: () => void;
}

/** Time that stands still until a test moves it. */
export class VirtualClock implements SimClock {
	readonly #alarms = new Set<Alarm>();
	#now = 0;

	now(): number {
		return this.#now;
	}

	/** Alarms that have not rung. */
	get pending(): number {
		return this.#alarms.size;
	}

	after(ms: number, act: () => void): () => void {
		const alarm = { at: this.#now + ms, act };
		this.#alarms.add(alarm);
		return () => this.#alarms.delete(alarm);
	}

	/**
	 * Lets time pass. Alarms ring in their order, each followed by a turn of the event loop: what somebody does about one
	 * may set the next.
	 */
	async advance(ms: number): Promise<void> {
		const end = this.#now + ms;
		for (let next = this.#next(end); next; next = this.#next(end)) {
			this.#alarms.delete(next);
			this.#now = next.at;
			next.act();
			await new Promise((resolve) => setImmediate(resolve));
		}
		this.#now = end;
	}

	#next(end: number): Alarm | undefined {
		let first: Alarm | undefined;
		for (const alarm of this.#alarms) if (alarm.at <= end && (!first || alarm.at < first.at)) first = alarm;
		return first;
	}
}

/** The machine's own time. Alarms keep no process alive. */
export class RealClock implements SimClock {
	readonly #start = performance.now();

	now(): number {
		return performance.now() - this.#start;
	}

	after(ms: number, act: () => void): () => void {
		const timer = setTimeout(act, ms);
		timer.unref();
		return () => clearTimeout(timer);
	}
}

/** Resolves after that time, at once when it is none; rejects with the signal's reason when it aborts first. */
export function pause(clock: SimClock, ms: number, signal?: AbortSignal): Promise<void> {
	return new Promise((resolve, reject) => {
		if (signal?.aborted) return reject(signal.reason);
		if (ms <= 0) return resolve();
		const onAbort = (): void => {
			takeBack();
			reject(signal?.reason);
		};
		const takeBack = clock.after(ms, () => {
			signal?.removeEventListener("abort", onAbort);
			resolve();
		});
		signal?.addEventListener("abort", onAbort, { once: true });
	});
}
