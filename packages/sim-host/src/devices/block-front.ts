import { DOM0 } from "@bulkhead/base";
import type { SimMachine } from "@bulkhead/hypervisor/sim";
import type { XenstoreClient } from "@bulkhead/xenstore";
import { awaitState, XENBUS_STATE } from "./xenbus.ts";

/** Every disk that the toolstack has given the domain, connected. Answers their virtual device numbers. */
export async function connectDisks(machine: SimMachine, store: XenstoreClient): Promise<string[]> {
	const devices = (await store.findList(`/local/domain/${machine.domid}/device/vbd`)) ?? [];
	await Promise.all(devices.map((device) => connectDisk(machine, store, device)));
	return devices;
}

/** As Linux's blkfront: ring and port are offered once the backend waits for them (io/blkif.h). */
async function connectDisk(machine: SimMachine, store: XenstoreClient, device: string): Promise<void> {
	const node = `/local/domain/${machine.domid}/device/vbd/${device}`;
	const backend = await store.readText(`${node}/backend`);
	await awaitState(store, backend, [XENBUS_STATE.initWait, XENBUS_STATE.connected], machine.signal);
	const { ref } = machine.grantPage(DOM0);
	const channel = machine.process.rings.evtchns.bindUnbound(DOM0, () => {});
	await Promise.all([
		store.write(`${node}/ring-ref`, ref),
		store.write(`${node}/event-channel`, channel.port),
		store.write(`${node}/protocol`, "x86_64-abi"),
		store.write(`${node}/state`, XENBUS_STATE.initialised),
	]);
	await awaitState(store, backend, [XENBUS_STATE.connected], machine.signal);
	await store.write(`${node}/state`, XENBUS_STATE.connected);
}
