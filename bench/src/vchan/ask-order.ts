import type { OrderedEnd } from "./ordered-end.ts";
import { encodeOrder, MESSAGE_BYTES, type Order } from "./orders.ts";

/** The client's part of one order. @returns the nanoseconds that it took; of `echo`, those of each message */
export async function askOrder(end: OrderedEnd, order: Order): Promise<number[]> {
	if (order.name === "echo") return echo(end, order);
	return [
		await timed(async () => {
			await end.write(encodeOrder(order));
			if (order.name === "give") return end.skip(order.count);
			await end.writeMany(order.count);
			await end.read(1);
		}),
	];
}

async function echo(end: OrderedEnd, order: Order): Promise<number[]> {
	const message = Buffer.alloc(MESSAGE_BYTES);
	const times: number[] = [];
	await end.write(encodeOrder(order));
	for (let trip = 0; trip < order.count; trip++)
		times.push(
			await timed(async () => {
				await end.write(message);
				await end.read(MESSAGE_BYTES);
			}),
		);
	return times;
}

async function timed(act: () => Promise<void>): Promise<number> {
	const started = process.hrtime.bigint();
	await act();
	return Number(process.hrtime.bigint() - started);
}
