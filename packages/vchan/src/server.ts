import type { DomId, EvtchnPort, GrantRef } from "@bulkhead/base";
import type { BoundEvtchn, EventChannels } from "@bulkhead/hypervisor";
import { type EndpointBytes, type EndpointParts, VchanEndpoint } from "./endpoint.ts";
import { checkOrders, LIVE, NOTIFY, OFFSET, PAGE_BYTES, pagesOf } from "./layout.ts";
import { RingConsumer, RingProducer } from "./ring.ts";
import { leftRing, rightRing } from "./ring-memory.ts";

/** Zeroed pages of ours that another domain may map. `close` (idempotent) takes the grants back. */
export interface OfferedPages {
	readonly buffer: ArrayBuffer;
	/** One for each page, in order. */
	readonly refs: readonly GrantRef[];
	close(): void;
}

/** Offering memory to other domains (gntalloc). Only the tests' host has it so far: in dom0 we are always the client. */
export interface GrantOffers {
	/** The byte is cleared and the port notified when this process is gone. */
	offer(domid: DomId, pages: number, onEnd?: { clearByteOffset: number; notifyPort: EvtchnPort }): OfferedPages;
}

export interface OpenVchanServer {
	offers: GrantOffers;
	evtchns: EventChannels;
	/** The domain that may connect. */
	domid: DomId;
	/** log2 of the ring that the client writes to. Default 10: 1 KiB. */
	leftOrder?: number;
	/** log2 of the ring that the client reads from. Default 11: 2 KiB. */
	rightOrder?: number;
}

const SERVER_BYTES: EndpointBytes = {
	ownLive: OFFSET.serverLive,
	peerLive: OFFSET.clientLive,
	peerWishes: OFFSET.serverNotify,
	ownWishes: OFFSET.clientNotify,
};

/** The server's end. It may write before its client comes, and is of no more use when that goes: open a new one. */
export class VchanServer extends VchanEndpoint {
	/** Of the control page; to be published as `ring-ref`. */
	readonly ringRef: GrantRef;
	/** To be published as `event-channel`. */
	readonly port: EvtchnPort;

	constructor(parts: Omit<EndpointParts, "bytes">, ringRef: GrantRef) {
		super({ ...parts, bytes: SERVER_BYTES });
		this.ringRef = ringRef;
		this.port = parts.evtchn.port;
	}

	get isConnected(): boolean {
		return !this.destroyed && this.peerLive() === LIVE.connected;
	}
}

/** @throws HypervisorError, ProtocolError for impossible orders */
export function openVchanServer(options: OpenVchanServer): VchanServer {
	const { offers, evtchns, domid, leftOrder = 10, rightOrder = 11 } = options;
	checkOrders(leftOrder, rightOrder);
	let server: VchanServer | undefined;
	const evtchn = evtchns.bindUnbound(domid, () => server?.handleEvent());
	const offered: OfferedPages[] = [];
	const release = (): void => releaseAll(offered, evtchn);
	try {
		const control = offers.offer(domid, 1, { clearByteOffset: OFFSET.serverLive, notifyPort: evtchn.port });
		offered.push(control);
		const page = new Uint8Array(control.buffer, 0, PAGE_BYTES);
		const refs: number[] = [];
		const place = (order: number): Uint8Array => {
			const sizeBytes = 1 << order;
			if (pagesOf(order) === 0) return page.subarray(sizeBytes, 2 * sizeBytes);
			const pages = offers.offer(domid, pagesOf(order));
			offered.push(pages);
			refs.push(...pages.refs);
			return new Uint8Array(pages.buffer, 0, sizeBytes);
		};
		const incoming = new RingConsumer(leftRing(page, place(leftOrder)));
		const outgoing = new RingProducer(rightRing(page, place(rightOrder)));
		describe(page, leftOrder, rightOrder, refs);
		const [ringRef] = control.refs;
		if (ringRef === undefined) throw new RangeError("Offered page has no reference");
		server = new VchanServer({ page, incoming, outgoing, evtchn, release }, ringRef);
		return server;
	} catch (error) {
		release();
		throw error;
	}
}

/** The initial control page (tools/libs/vchan/init.c, init_gnt_srv). */
function describe(page: Uint8Array, leftOrder: number, rightOrder: number, refs: readonly number[]): void {
	const view = new DataView(page.buffer, page.byteOffset, PAGE_BYTES);
	view.setUint16(OFFSET.leftOrder, leftOrder, true);
	view.setUint16(OFFSET.rightOrder, rightOrder, true);
	for (const [index, ref] of refs.entries()) view.setUint32(OFFSET.grants + 4 * index, ref, true);
	Atomics.store(page, OFFSET.clientLive, LIVE.awaited);
	Atomics.store(page, OFFSET.serverLive, LIVE.connected);
	Atomics.store(page, OFFSET.clientNotify, NOTIFY.written);
}

function releaseAll(offered: OfferedPages[], evtchn: BoundEvtchn): void {
	try {
		for (const pages of offered.splice(0)) pages.close();
	} finally {
		evtchn.close();
	}
}
