import { DOM0 } from "@bulkhead/base";
import type { SimMachine } from "@bulkhead/hypervisor/sim";
import { FakeQemu, type FakeQemuOptions } from "@bulkhead/qmp/testing";
import { openVchanServer, type VchanServer, type VchanSession } from "@bulkhead/vchan";
import type { XenstoreClient } from "@bulkhead/xenstore";

export interface QmpChannelParts {
	machine: SimMachine;
	store: XenstoreClient;
	/** Where it is published. */
	path: string;
	qemu: FakeQemuOptions;
}

/** QEMU's QMP over a vchan of the stub domain: one client at a time, one monitor session for each. */
export class QmpChannel {
	readonly #parts: QmpChannelParts;
	#vchan: VchanServer | undefined;
	#qemu: FakeQemu | undefined;

	constructor(parts: QmpChannelParts) {
		this.#parts = parts;
	}

	async open(): Promise<void> {
		const { machine, store, path } = this.#parts;
		const { offers, rings } = machine.process;
		const vchan = openVchanServer({
			offers,
			evtchns: rings.evtchns,
			domid: DOM0,
			onSession: (session) => this.#serve(session),
		});
		this.#vchan = vchan;
		// ring-ref last: a client takes its presence for the sign that the channel is there.
		await Promise.all([
			store.write(`${path}/event-channel`, vchan.port),
			store.write(`${path}/ring-ref`, vchan.ringRef),
		]);
	}

	emit(event: string, data?: Record<string, unknown>): void {
		this.#qemu?.emit(event, data);
	}

	/** With QEMU: the channel is withdrawn. */
	async close(): Promise<void> {
		await this.#vchan?.close();
		await this.#parts.store.remove(this.#parts.path);
	}

	#serve(session: VchanSession): void {
		session.on("error", () => {});
		this.#qemu = new FakeQemu(session, this.#parts.qemu);
	}
}
