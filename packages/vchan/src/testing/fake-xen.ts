import { type DomId, type EvtchnPort, evtchnPort, type GrantRef, grantRef } from "@bulkhead/base";
import { HypervisorError } from "@bulkhead/hypervisor";
import { FakeDomain } from "./fake-domain.ts";

/** One granted region: the pages of one offer, each with its reference. */
export interface Region {
	owner: DomId;
	reader: DomId;
	refs: readonly GrantRef[];
	/** The memory as it is now: unmapping a detachable region moves it. */
	memory: ArrayBuffer;
	isOffered: boolean;
	maps: number;
}

export interface Port {
	domid: DomId;
	port: EvtchnPort;
	/** Whom an unbound port waits for. */
	allowed: DomId;
	peer: Port | undefined;
	handler: () => void;
	isPending: boolean;
	isClosed: boolean;
}

/**
 * Grants and event channels of several domains in one process, for tests. Strict: what Xen would refuse is refused, and
 * `assertIdle` finds what was not given back. Events arrive in a later turn of the event loop; equal ones merge.
 *
 * `detachable` (default): an unmapped buffer is detached as the real one is, so a late access fails the test. The owner
 * then looks at its memory through `memoryOf`, which moves. With `shared` both sides keep one memory and nothing is
 * detached: for two real endpoints against each other.
 */
export class FakeXen {
	readonly memoryKind: "detachable" | "shared";
	readonly regions: Map<string, Region> = new Map();
	readonly ports: Map<string, Port> = new Map();
	#lastRef = 7;
	#lastPort = 0;

	constructor({ memory = "detachable" }: { memory?: "detachable" | "shared" } = {}) {
		this.memoryKind = memory;
	}

	/** The ports to Xen as a process in that domain has them. */
	domain(domid: DomId): FakeDomain {
		return new FakeDomain(this, domid);
	}

	/** The owner's look at a region, by any reference of it. */
	memoryOf(owner: DomId, ref: GrantRef): ArrayBuffer {
		return this.findRegion(owner, ref).memory;
	}

	/** @throws Error naming every mapping, offer and port that is left */
	assertIdle(): void {
		const left = [...new Set(this.regions.values())].map(
			({ owner, refs, maps }) => `grant ${refs[0]} of domain ${owner} (${maps} mappings)`,
		);
		for (const { domid, port } of this.ports.values()) left.push(`port ${port} of domain ${domid}`);
		if (left.length > 0) throw new Error(`Not given back: ${left.join(", ")}`);
	}

	/** @internal */
	nextRef(): GrantRef {
		return grantRef(++this.#lastRef);
	}

	/** @internal */
	addPort(port: Omit<Port, "port" | "isPending" | "isClosed">): Port {
		const added: Port = { ...port, port: evtchnPort(++this.#lastPort), isPending: false, isClosed: false };
		this.ports.set(`${added.domid}:${added.port}`, added);
		return added;
	}

	/** @internal */
	findRegion(owner: DomId, ref: GrantRef): Region {
		const region = this.regions.get(`${owner}:${ref}`);
		if (!region) throw new HypervisorError(`Domain ${owner} granted no page ${ref}`, { errno: "EINVAL" });
		return region;
	}

	/** @internal */
	deliver(port: Port | undefined): void {
		if (!port || port.isClosed || port.isPending) return;
		port.isPending = true;
		setImmediate(() => {
			port.isPending = false;
			if (!port.isClosed) port.handler();
		});
	}
}
