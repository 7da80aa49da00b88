/** Our end of a vchan, in dom0: the same program as peer.c. */
import { once } from "node:events";
import { createInterface } from "node:readline";
import { DOM0, domId, evtchnPort, grantRef } from "@bulkhead/base";
import { openGrantOffers, openRingHost } from "@bulkhead/hypervisor/native";
import { openVchanClient, openVchanServer, type VchanSession } from "@bulkhead/vchan";
import { XenstoreClient } from "@bulkhead/xenstore";
import { askOrder } from "./ask-order.ts";
import { OrderedEnd } from "./ordered-end.ts";
import type { OrderName } from "./orders.ts";
import { serveOrders } from "./serve-orders.ts";

const [mode, path = "", ...numbers] = process.argv.slice(2);
const { grants, evtchns } = openRingHost();
const store = await XenstoreClient.connect();
const ready = (): void => void process.stdout.write("ready\n");

async function serve([left, right]: readonly string[]): Promise<void> {
	let begin: (session: VchanSession) => void = () => {};
	const begun = new Promise<VchanSession>((resolve) => {
		begin = resolve;
	});
	const server = openVchanServer({
		offers: openGrantOffers(),
		evtchns,
		domid: DOM0,
		leftOrder: Math.log2(Number(left)),
		rightOrder: Math.log2(Number(right)),
		onSession: (session) => begin(session),
	});
	await store.write(`${path}/ring-ref`, `${server.ringRef}`);
	await store.write(`${path}/event-channel`, `${server.port}`);
	ready();
	process.stdin.resume();
	const stopped = once(process.stdin, "end").then(() => undefined);
	const session = await Promise.race([begun, stopped]);
	if (session) await Promise.race([serveOrders(new OrderedEnd(session)), stopped]);
	await server.close();
	await store.remove(path);
}

async function ask([domid = ""]: readonly string[]): Promise<void> {
	const ringRef = grantRef(await store.readText(`${path}/ring-ref`));
	const remotePort = evtchnPort(await store.readText(`${path}/event-channel`));
	const client = openVchanClient({ grants, evtchns, domid: domId(domid), ringRef, remotePort });
	const end = new OrderedEnd(client);
	ready();
	for await (const line of createInterface({ input: process.stdin })) {
		const [name, count] = line.split(" ");
		const times = await askOrder(end, { name: name as OrderName, count: Number(count) });
		process.stdout.write(`${times.join(" ")}\n`);
	}
	await client.close();
}

await (mode === "server" ? serve(numbers) : ask(numbers));
process.exit(0);
