import { CancelledError, type DomId, type EvtchnPort, type GrantRef, grantRef } from "@bulkhead/base";
import type { ShutdownReason } from "../../ports/domains.ts";
import { SimFailure } from "../calls/sim-failure.ts";
import { pause, type SimClock } from "../clock.ts";
import type { SimDomain } from "../domains/sim-domain.ts";
import { SimPage } from "../memory/sim-page.ts";
import type { SimProcess } from "../sim-process.ts";
import type { SimImage } from "./sim-image.ts";
import type { SimMachine } from "./sim-machine.ts";
import type { SimProgram } from "./sim-program.ts";

export interface GuestHost {
	readonly clock: SimClock;
	log(line: string): void;
	startKernel(domid: DomId): SimProcess;
	shutDown(domain: SimDomain, reason: ShutdownReason): void;
	raise(port: EvtchnPort, of: SimDomain): void;
}

/** A domain's code at work: its program with the machine under it. */
export class RunningGuest implements SimMachine {
	readonly domid: DomId;
	readonly image: SimImage;
	readonly process: SimProcess;
	readonly consolePage: SimPage;
	readonly #domain: SimDomain;
	readonly #host: GuestHost;
	readonly #end = new AbortController();
	#waiting: (() => void)[] = [];

	constructor(domain: SimDomain, image: SimImage, host: GuestHost) {
		const page = domain.findPage(image.consoleFrame);
		if (!page) throw new TypeError("A built domain has a console page");
		this.domid = domain.domid;
		this.image = image;
		this.consolePage = page;
		this.process = host.startKernel(domain.domid);
		this.#domain = domain;
		this.#host = host;
	}

	get clock(): SimClock {
		return this.#host.clock;
	}

	get signal(): AbortSignal {
		return this.#end.signal;
	}

	get target(): DomId | undefined {
		return this.#domain.target;
	}

	/** In a later turn of the event loop. */
	start(program: SimProgram): void {
		setImmediate(() => void this.#run(program));
	}

	/** The domain has shut down or is being destroyed: its code stops where it is. */
	stop(): void {
		this.#end.abort(new CancelledError(`Domain ${this.domid} has ended`));
		this.process.end();
		this.resume();
	}

	/** The domain may run again. */
	resume(): void {
		const waiting = this.#waiting;
		this.#waiting = [];
		for (const wake of waiting) wake();
	}

	listen(port: EvtchnPort, onEvent: () => void): void {
		const found = this.#domain.ports.find(port);
		if (!found) throw new SimFailure("listen", "EINVAL");
		this.#domain.ports.listen(found, () => {
			try {
				onEvent();
			} catch (error) {
				this.#crash(error);
			}
		});
	}

	notify(port: EvtchnPort): void {
		this.#host.raise(port, this.#domain);
	}

	grantPage(to: DomId): { page: SimPage; ref: GrantRef } {
		const page = new SimPage();
		return { page, ref: grantRef(this.#domain.grant(page, to, true)) };
	}

	async untilRunnable(): Promise<void> {
		while (!this.#domain.isRunnable) {
			this.signal.throwIfAborted();
			await new Promise<void>((resolve) => this.#waiting.push(resolve));
		}
		this.signal.throwIfAborted();
	}

	async sleep(ms: number): Promise<void> {
		await pause(this.clock, ms, this.signal);
		await this.untilRunnable();
	}

	shutdown(reason: ShutdownReason): void {
		if (!this.signal.aborted) this.#host.shutDown(this.#domain, reason);
	}

	log(line: string): void {
		this.#host.log(`d${this.domid} ${line}`);
	}

	async #run(program: SimProgram): Promise<void> {
		try {
			await this.untilRunnable();
			await program.run(this);
		} catch (error) {
			this.#crash(error);
		}
	}

	#crash(error: unknown): void {
		// What a stopped program still throws is the echo of its end.
		if (this.signal.aborted) return;
		this.log(`crashed: ${error instanceof Error ? error.message : String(error)}`);
		this.shutdown("crash");
	}
}
