import { ProtocolError } from "@bulkhead/base";

/** Byte offsets in the control page, little-endian (xen/include/public/io/libxenvchan.h, struct vchan_interface). */
export const OFFSET = {
	leftConsumer: 0,
	leftProducer: 4,
	rightConsumer: 8,
	rightProducer: 12,
	leftOrder: 16,
	rightOrder: 18,
	clientLive: 20,
	serverLive: 21,
	clientNotify: 22,
	serverNotify: 23,
	grants: 24,
} as const;

/** Values of the live bytes. */
export const LIVE = {
	gone: 0,
	connected: 1,
	awaited: 2,
	/**
	 * What our servers make of a client's 1: live for everybody, and a 1 that is seen later is another client's. So a client
	 * that goes and comes between two looks is noticed.
	 */
	accepted: 3,
} as const;

/** Bits of the notify bytes: what the other side wants to be told of. */
export const NOTIFY = { written: 1, consumed: 2 } as const;

export const PAGE_BYTES = 4096;
const PAGE_ORDER = 12;
const SMALLEST_ORDER = 10;
/** MAX_RING_SIZE of tools/libs/vchan/init.c: 1 MiB. */
const LARGEST_ORDER = 20;
export const LARGEST_RING_BYTES: number = 1 << LARGEST_ORDER;

/** Where a ring's bytes lie: inside the control page, or on granted pages of its own. */
export type RingPlace =
	| { kind: "in-page"; offset: number; sizeBytes: number }
	| { kind: "granted"; grefs: number[]; sizeBytes: number };

/** The client writes to the left ring and reads from the right one. */
export interface ChannelLayout {
	left: RingPlace;
	right: RingPlace;
}

/**
 * Copies the orders and grant references out of the control page, once, and checks the copy.
 * @throws ProtocolError for orders that libxenvchan would refuse
 */
export function readLayout(page: Uint8Array): ChannelLayout {
	const view = new DataView(page.buffer, page.byteOffset, PAGE_BYTES);
	const leftOrder = view.getUint16(OFFSET.leftOrder, true);
	const rightOrder = view.getUint16(OFFSET.rightOrder, true);
	checkOrders(leftOrder, rightOrder);
	const leftPages = pagesOf(leftOrder);
	const grefs = Array.from({ length: leftPages + pagesOf(rightOrder) }, (_, index) =>
		view.getUint32(OFFSET.grants + 4 * index, true),
	);
	return {
		left: placeOf(leftOrder, grefs.slice(0, leftPages)),
		right: placeOf(rightOrder, grefs.slice(leftPages)),
	};
}

/** @throws ProtocolError */
export function checkOrders(leftOrder: number, rightOrder: number): void {
	for (const order of [leftOrder, rightOrder])
		if (order < SMALLEST_ORDER || order > LARGEST_ORDER) throw badOrders(leftOrder, rightOrder);
	// Each of the two places inside the control page holds one ring.
	if (leftOrder === rightOrder && leftOrder < PAGE_ORDER) throw badOrders(leftOrder, rightOrder);
	// The references end where the first ring inside the page begins.
	const grantsEnd = OFFSET.grants + 4 * (pagesOf(leftOrder) + pagesOf(rightOrder));
	if (grantsEnd > Math.min(PAGE_BYTES, inPageOffset(leftOrder), inPageOffset(rightOrder)))
		throw badOrders(leftOrder, rightOrder);
}

/** Pages that a ring needs besides the control page. */
export function pagesOf(order: number): number {
	return order < PAGE_ORDER ? 0 : 1 << (order - PAGE_ORDER);
}

/** Order 10 lies at 1024, order 11 at 2048: at its own size. */
function inPageOffset(order: number): number {
	return order < PAGE_ORDER ? 1 << order : PAGE_BYTES;
}

function placeOf(order: number, grefs: number[]): RingPlace {
	const sizeBytes = 1 << order;
	return order < PAGE_ORDER
		? { kind: "in-page", offset: inPageOffset(order), sizeBytes }
		: { kind: "granted", grefs, sizeBytes };
}

function badOrders(leftOrder: number, rightOrder: number): ProtocolError {
	return new ProtocolError(`Vchan has impossible ring sizes (orders ${leftOrder} and ${rightOrder})`, {
		fields: { leftOrder, rightOrder },
	});
}
