import type { DomId, EvtchnPort, GrantRef } from "@bulkhead/base";
import {
	type BoundEvtchn,
	type EventChannels,
	type GrantMaps,
	type GrantOffers,
	HypervisorError,
	type MappedGrants,
	type OfferedPages,
	type UnmapNotification,
} from "@bulkhead/hypervisor";
import { PAGE_BYTES } from "../layout.ts";
import type { FakeXen, Port, Region } from "./fake-xen.ts";

/** What a process in one domain of a FakeXen sees of it. */
export class FakeDomain {
	readonly domid: DomId;
	readonly grants: GrantMaps;
	readonly evtchns: EventChannels;
	readonly offers: GrantOffers;
	readonly #xen: FakeXen;

	constructor(xen: FakeXen, domid: DomId) {
		this.#xen = xen;
		this.domid = domid;
		this.grants = { map: (owner, refs, options = {}) => this.#map(owner, refs, options), close: () => {} };
		this.evtchns = {
			bindInterdomain: (remote, port, onEvent) => this.#bind(remote, port, onEvent),
			bindUnbound: (remote, onEvent) => this.#bound(this.#addPort(remote, undefined, onEvent)),
			close: () => {},
		};
		this.offers = { offer: (reader, pages, options) => this.#offer(reader, pages, options), close: () => {} };
	}

	#map(owner: DomId, refs: readonly GrantRef[], { onUnmap }: { onUnmap?: UnmapNotification }): MappedGrants {
		const [first] = refs;
		if (first === undefined) throw new HypervisorError("No page to map", { errno: "EINVAL" });
		const region = this.#xen.findRegion(owner, first);
		if (region.reader !== this.domid || region.refs.join() !== refs.join())
			throw new HypervisorError(`Domain ${this.domid} may not map these pages`, { errno: "EPERM" });
		if (region.maps > 0 && this.#xen.memoryKind === "detachable")
			throw new HypervisorError("This host maps a page once at a time", { errno: "EBUSY" });
		region.maps++;
		let isMapped = true;
		return {
			buffer: region.memory,
			unmap: () => {
				if (!isMapped) return;
				isMapped = false;
				region.maps--;
				this.#detach(region);
				if (onUnmap) {
					Atomics.store(new Uint8Array(region.memory), onUnmap.clearByteOffset, 0);
					this.#notify(onUnmap.notifyPort);
				}
				this.#forget(region);
			},
		};
	}

	/** The mapping's buffer loses its bytes; the owner finds them in a new one. */
	#detach(region: Region): void {
		if (this.#xen.memoryKind === "detachable")
			region.memory = structuredClone(region.memory, { transfer: [region.memory] });
	}

	#offer(reader: DomId, pages: number, { onEnd }: { onEnd?: UnmapNotification } = {}): OfferedPages {
		const refs = Array.from({ length: pages }, () => this.#xen.nextRef());
		const region: Region = {
			owner: this.domid,
			reader,
			refs,
			memory: this.#allocate(pages * PAGE_BYTES),
			isOffered: true,
			maps: 0,
		};
		for (const ref of refs) this.#xen.regions.set(`${this.domid}:${ref}`, region);
		return {
			buffer: region.memory,
			refs,
			close: () => {
				if (!region.isOffered) return;
				region.isOffered = false;
				if (onEnd) {
					Atomics.store(new Uint8Array(region.memory), onEnd.clearByteOffset, 0);
					this.#notify(onEnd.notifyPort);
				}
				this.#forget(region);
			},
		};
	}

	#allocate(bytes: number): ArrayBuffer {
		if (this.#xen.memoryKind === "detachable") return new ArrayBuffer(bytes);
		// Never detached, else the same to typed arrays and Atomics.
		return new SharedArrayBuffer(bytes) as unknown as ArrayBuffer;
	}

	/** A page that is taken back stays while it is mapped, as gntalloc's do. */
	#forget(region: Region): void {
		if (region.isOffered || region.maps > 0) return;
		for (const ref of region.refs) this.#xen.regions.delete(`${region.owner}:${ref}`);
	}

	#bind(remote: DomId, remotePort: EvtchnPort, onEvent: () => void): BoundEvtchn {
		const peer = this.#xen.ports.get(`${remote}:${remotePort}`);
		if (!peer || peer.allowed !== this.domid || (peer.peer && !peer.peer.isClosed))
			throw new HypervisorError(`Domain ${remote} offers no port ${remotePort}`, { errno: "EINVAL" });
		const port = this.#addPort(remote, peer, onEvent);
		peer.peer = port;
		return this.#bound(port);
	}

	#addPort(allowed: DomId, peer: Port | undefined, handler: () => void): Port {
		return this.#xen.addPort({ domid: this.domid, allowed, peer, handler });
	}

	#bound(port: Port): BoundEvtchn {
		return {
			port: port.port,
			notify: () => {
				if (port.isClosed) throw new HypervisorError(`Port ${port.port} is not bound`, { errno: "ENOTCONN" });
				this.#xen.deliver(port.peer);
			},
			pause: notPaused,
			resume: notPaused,
			close: () => {
				if (port.isClosed) return;
				port.isClosed = true;
				this.#xen.ports.delete(`${port.domid}:${port.port}`);
			},
		};
	}

	#notify(port: EvtchnPort): void {
		const found = this.#xen.ports.get(`${this.domid}:${port}`);
		if (!found) throw new HypervisorError(`Port ${port} is not bound`, { errno: "EINVAL" });
		this.#xen.deliver(found.peer);
	}
}

function notPaused(): never {
	throw new Error("A vchan endpoint listens as long as it is open");
}
