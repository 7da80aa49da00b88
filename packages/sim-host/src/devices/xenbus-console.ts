import { DOM0 } from "@bulkhead/base";
import type { SimMachine } from "@bulkhead/hypervisor/sim";
import type { XenstoreClient } from "@bulkhead/xenstore";
import { GuestConsole } from "./guest-console.ts";
import { awaitState, XENBUS_STATE } from "./xenbus.ts";

/**
 * A console above 0, as Linux's hvc_xen connects it: the frontend allocates ring and port, writes them down, says
 * `initialised`, and follows the backend to `connected`.
 */
export async function connectXenbusConsole(
	machine: SimMachine,
	store: XenstoreClient,
	index: number,
	onInput: (bytes: Buffer) => void,
): Promise<GuestConsole> {
	const node = `/local/domain/${machine.domid}/device/console/${index}`;
	const { page, ref } = machine.grantPage(DOM0);
	const channel = machine.process.rings.evtchns.bindUnbound(DOM0, () => console.handleEvent());
	const console = new GuestConsole({ page, notify: () => channel.notify(), onInput });
	const backend = await store.readText(`${node}/backend`);
	await Promise.all([
		store.write(`${node}/ring-ref`, ref),
		store.write(`${node}/port`, channel.port),
		store.write(`${node}/state`, XENBUS_STATE.initialised),
	]);
	void awaitState(store, backend, [XENBUS_STATE.connected], machine.signal)
		.then(() => store.write(`${node}/state`, XENBUS_STATE.connected))
		.catch((error: unknown) => {
			if (!machine.signal.aborted) machine.log(`console ${index}: ${String(error)}`);
		});
	return console;
}
