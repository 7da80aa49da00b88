/**
 * What a vchan's client may have its server do: 8 bytes, the order and a count, both 32 bits and little-endian. peer.c
 * speaks the same.
 */
export const ORDERS = {
	/** Read so many bytes, then answer with one. */
	take: 1,
	/** Write so many bytes. */
	give: 2,
	/** Give so many messages back, one after the other. */
	echo: 3,
} as const;

export type OrderName = keyof typeof ORDERS;

export interface Order {
	name: OrderName;
	count: number;
}

export const ORDER_BYTES = 8;
export const MESSAGE_BYTES = 64;
/** Written at once. */
export const PIECE_BYTES: number = 256 * 1024;

export function encodeOrder({ name, count }: Order): Buffer {
	const bytes = Buffer.alloc(ORDER_BYTES);
	bytes.writeUInt32LE(ORDERS[name], 0);
	bytes.writeUInt32LE(count, 4);
	return bytes;
}

/** @throws RangeError for an order that there is not */
export function decodeOrder(bytes: Buffer): Order {
	const number = bytes.readUInt32LE(0);
	const name = (Object.keys(ORDERS) as OrderName[]).find((each) => ORDERS[each] === number);
	if (!name) throw new RangeError(`There is no order ${number}`);
	return { name, count: bytes.readUInt32LE(4) };
}
