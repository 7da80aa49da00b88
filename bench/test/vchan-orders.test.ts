import { DOM0, domId } from "@bulkhead/base";
import { openVchanClient, openVchanServer, type VchanSession } from "@bulkhead/vchan";
import { FakeXen } from "@bulkhead/vchan/testing";
import { afterEach, describe, expect, it } from "vitest";
import { askOrder } from "../src/vchan/ask-order.ts";
import { OrderedEnd } from "../src/vchan/ordered-end.ts";
import { decodeOrder, encodeOrder } from "../src/vchan/orders.ts";
import { RING_SIZES, type RingSize } from "../src/vchan/ring-sizes.ts";
import { serveOrders } from "../src/vchan/serve-orders.ts";

const STUB = domId(7);

let xen = new FakeXen({ memory: "shared" });
afterEach(() => {
	xen.assertIdle();
	xen = new FakeXen({ memory: "shared" });
});

async function withPair(size: RingSize, act: (client: OrderedEnd) => Promise<void>): Promise<void> {
	const [here, there] = [xen.domain(DOM0), xen.domain(STUB)];
	let served: Promise<void> | undefined;
	const server = openVchanServer({
		offers: there.offers,
		evtchns: there.evtchns,
		domid: DOM0,
		leftOrder: Math.log2(RING_SIZES[size].left),
		rightOrder: Math.log2(RING_SIZES[size].right),
		onSession: (session: VchanSession) => {
			served = serveOrders(new OrderedEnd(session));
		},
	});
	const { grants, evtchns } = here;
	const client = openVchanClient({ grants, evtchns, domid: STUB, ringRef: server.ringRef, remotePort: server.port });
	try {
		await act(new OrderedEnd(client));
	} finally {
		await client.close();
		await served;
		await server.close();
	}
}

describe.each(Object.keys(RING_SIZES) as RingSize[])("orders over rings of size %s", (size) => {
	it("are carried out one after the other, and the server ends with its client", async () => {
		await withPair(size, async (client) => {
			for (let round = 0; round < 2; round++) {
				expect(await askOrder(client, { name: "take", count: 300_001 })).toEqual([expect.any(Number)]);
				expect(await askOrder(client, { name: "give", count: 300_001 })).toEqual([expect.any(Number)]);
				const times = await askOrder(client, { name: "echo", count: 20 });
				expect(times).toHaveLength(20);
				expect(times.every((ns) => ns > 0)).toBe(true);
			}
		});
	});
});

it("an order is two numbers, and an unknown one is refused", () => {
	const bytes = encodeOrder({ name: "give", count: 0x0102_0304 });
	expect(bytes.toString("hex")).toBe("0200000004030201");
	expect(decodeOrder(bytes)).toEqual({ name: "give", count: 0x0102_0304 });
	expect(() => decodeOrder(Buffer.alloc(8))).toThrow(RangeError);
});
