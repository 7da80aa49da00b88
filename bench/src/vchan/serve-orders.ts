import type { OrderedEnd } from "./ordered-end.ts";
import { decodeOrder, MESSAGE_BYTES, ORDER_BYTES } from "./orders.ts";

/** The server's part, until the client goes. */
export async function serveOrders(end: OrderedEnd): Promise<void> {
	for (let bytes = await end.find(ORDER_BYTES); bytes; bytes = await end.find(ORDER_BYTES)) {
		const { name, count } = decodeOrder(bytes);
		switch (name) {
			case "take":
				await end.skip(count);
				await end.write(Buffer.alloc(1));
				break;
			case "give":
				await end.writeMany(count);
				break;
			case "echo":
				for (let trip = 0; trip < count; trip++) await end.write(await end.read(MESSAGE_BYTES));
				break;
		}
	}
}
