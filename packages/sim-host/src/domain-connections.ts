import type { SimMachine } from "@bulkhead/hypervisor/sim";
import { XenstoreClient } from "@bulkhead/xenstore";
import type { XenstoreServer } from "@bulkhead/xenstore/server";

/** What the domains' kernels hold of xenstored: one connection each, ended with the domain. */
export class DomainConnections {
	readonly #server: XenstoreServer;
	readonly #open = new Set<XenstoreClient>();

	constructor(server: XenstoreServer) {
		this.#server = server;
	}

	get count(): number {
		return this.#open.size;
	}

	open({ domid, signal }: SimMachine): XenstoreClient {
		const store = XenstoreClient.over(this.#server.connectDomain(domid));
		this.#open.add(store);
		store.onClose(() => this.#open.delete(store));
		signal.addEventListener("abort", () => store.close(), { once: true });
		return store;
	}
}
