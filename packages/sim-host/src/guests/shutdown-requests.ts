import type { SimMachine } from "@bulkhead/hypervisor/sim";
import type { XenstoreClient } from "@bulkhead/xenstore";

const REQUESTS = ["poweroff", "reboot"] as const;

/**
 * Listens for the toolstack's requests as Linux's drivers/xen/manage.c does: says so by feature nodes, clears the request
 * to acknowledge it. Runs until the domain ends.
 */
export async function serveShutdownRequests(machine: SimMachine, store: XenstoreClient): Promise<void> {
	const control = `/local/domain/${machine.domid}/control`;
	await Promise.all(REQUESTS.map((request) => store.write(`${control}/feature-${request}`, "1")));
	for await (const _ of store.watch(`${control}/shutdown`, { signal: machine.signal })) {
		await machine.untilRunnable();
		const asked = await store.find(`${control}/shutdown`);
		const request = REQUESTS.find((known) => known === asked);
		if (!request) continue;
		await store.write(`${control}/shutdown`, "");
		machine.shutdown(request);
	}
}
