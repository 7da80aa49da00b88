import type { DomId, EvtchnPort } from "@bulkhead/base";
import { HypervisorError } from "../../errors.ts";
import type { BoundEvtchn, EventChannels } from "../../ports/event-channels.ts";
import { checkDomid, checkPort } from "../calls/check-arguments.ts";
import { SimFailure } from "../calls/sim-failure.ts";
import type { ProcessParts } from "../sim-process.ts";
import type { SimPort } from "./sim-port.ts";

/** The event channels that one process of a simulated domain has bound. */
export class SimEventChannels implements EventChannels {
	readonly #parts: ProcessParts;
	readonly #bound = new Set<SimPort>();
	#isClosed = false;

	constructor(parts: ProcessParts) {
		this.#parts = parts;
	}

	get holdings(): string[] {
		return [...this.#bound].map(({ port, remote }) => `event channel ${port} to domain ${remote}`);
	}

	bindInterdomain(domid: DomId, remotePort: EvtchnPort, onEvent: () => void): BoundEvtchn {
		checkDomid(domid);
		checkPort(remotePort);
		const { host, domain } = this.#parts;
		return this.#bind("bindInterdomain", `Could not bind event channel ${remotePort} of domain ${domid}`, domid, () => {
			const remote = host.find(domid);
			if (!remote || remote.isDying) throw new SimFailure("EVTCHNOP_bind_interdomain", "ESRCH");
			return domain.ports.bind(remote.ports.find(remotePort), onEvent);
		});
	}

	bindUnbound(domid: DomId, onEvent: () => void): BoundEvtchn {
		checkDomid(domid);
		const { ports } = this.#parts.domain;
		const what = `Could not offer an event channel to domain ${domid}`;
		return this.#bind("bindUnbound", what, domid, () => ports.allocate(domid, onEvent));
	}

	close(): void {
		if (this.#isClosed) return;
		this.#isClosed = true;
		for (const port of this.#bound) this.#parts.domain.ports.close(port);
		this.#bound.clear();
	}

	#bind(name: string, what: string, domid: DomId, bind: () => SimPort): BoundEvtchn {
		const { host, domain, calls } = this.#parts;
		const port = calls.runSync({ name: `evtchns.${name}`, attempt: what, fields: { domid }, domid }, () => {
			if (this.#isClosed) throw new SimFailure(name, "EBADF");
			return bind();
		});
		this.#bound.add(port);
		const { port: number } = port;
		return {
			port: number,
			notify: () => {
				if (port.isClosed)
					throw new HypervisorError(`Event channel ${number} is closed`, {
						errno: "ENOTCONN",
						fields: { port: number },
					});
				host.raise(number, domain);
			},
			pause: () => {
				port.isPaused = true;
			},
			resume: () => domain.ports.unpause(port),
			close: () => {
				this.#bound.delete(port);
				domain.ports.close(port);
			},
		};
	}
}
