import type { DomId, EvtchnPort, GrantRef } from "@bulkhead/base";
import type { GrantOffers, OfferedPages } from "@bulkhead/hypervisor";
import { checkOrders, LIVE, NOTIFY, OFFSET, PAGE_BYTES, pagesOf } from "./layout.ts";
import { RingConsumer, RingProducer } from "./ring.ts";
import { leftRing, rightRing } from "./ring-memory.ts";

export interface OfferRings {
	offers: GrantOffers;
	domid: DomId;
	leftOrder?: number;
	rightOrder?: number;
	/** The kernel tells the client by it when this process is gone. */
	notifyPort: EvtchnPort;
}

/** The memory of a server: the control page, and the rings' pages if they are larger than what fits in there. */
export interface ServerRings {
	page: Uint8Array;
	ref: GrantRef;
	incoming: RingConsumer;
	outgoing: RingProducer;
	/** Idempotent. */
	close(): void;
}

/** @throws HypervisorError, ProtocolError for impossible orders; nothing stays offered then */
export function offerRings({ offers, domid, leftOrder = 10, rightOrder = 11, notifyPort }: OfferRings): ServerRings {
	checkOrders(leftOrder, rightOrder);
	const offered: OfferedPages[] = [];
	const close = (): void => {
		for (const pages of offered.splice(0)) pages.close();
	};
	try {
		const control = offers.offer(domid, 1, { onEnd: { clearByteOffset: OFFSET.serverLive, notifyPort } });
		offered.push(control);
		const [ref] = control.refs;
		if (ref === undefined) throw new RangeError("Offered page has no reference");
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
		return { page, ref, incoming, outgoing, close };
	} catch (error) {
		close();
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
