import { CancelledError, domId } from "@bulkhead/base";
import type { SimMachine } from "@bulkhead/hypervisor/sim";
import type { XenstoreClient } from "@bulkhead/xenstore";
import { awaitState, XENBUS_STATE } from "./xenbus.ts";

const nicsPath = (machine: SimMachine): string => `/local/domain/${machine.domid}/device/vif`;

/** Every nic that the domain is started with, connected: Linux waits for them. Answers their numbers. */
export async function connectNics(machine: SimMachine, store: XenstoreClient): Promise<string[]> {
	const nics = (await store.findList(nicsPath(machine))) ?? [];
	await Promise.all(nics.map((nic) => connectNic(machine, store, nic)));
	return nics;
}

/** Connects nics as they come, until the domain ends. Those in `known` are there already. */
export async function followNics(machine: SimMachine, store: XenstoreClient, known: readonly string[]): Promise<void> {
	const seen = new Set(known);
	for await (const _ of store.watch(nicsPath(machine), { signal: machine.signal })) {
		const nics = (await store.findList(nicsPath(machine))) ?? [];
		for (const nic of seen) if (!nics.includes(nic)) seen.delete(nic);
		for (const nic of nics) {
			if (seen.has(nic)) continue;
			seen.add(nic);
			void connectNic(machine, store, nic).catch((error: unknown) => {
				if (!machine.signal.aborted) machine.log(`nic ${nic}: ${String(error)}`);
			});
		}
	}
}

/** As Linux's netfront: rings and port are offered once the backend waits for them (io/netif.h). */
async function connectNic(machine: SimMachine, store: XenstoreClient, nic: string): Promise<void> {
	const node = `${nicsPath(machine)}/${nic}`;
	const backend = await store.readText(`${node}/backend`);
	await awaitState(store, backend, [XENBUS_STATE.initWait, XENBUS_STATE.connected], machine.signal);
	const server = domId(await store.readText(`${node}/backend-id`));
	const channel = machine.process.rings.evtchns.bindUnbound(server, () => {});
	await Promise.all([
		store.write(`${node}/tx-ring-ref`, machine.grantPage(server).ref),
		store.write(`${node}/rx-ring-ref`, machine.grantPage(server).ref),
		store.write(`${node}/event-channel`, channel.port),
		store.write(`${node}/request-rx-copy`, 1),
		store.write(`${node}/state`, XENBUS_STATE.connected),
	]);
	await awaitState(store, backend, [XENBUS_STATE.connected], machine.signal);
	void closeWhenAsked(machine, store, node, backend).catch((error: unknown) => {
		if (!(error instanceof CancelledError) && !machine.signal.aborted) machine.log(`nic ${nic}: ${String(error)}`);
	});
}

/** netfront.c: netback_changed. */
async function closeWhenAsked(
	machine: SimMachine,
	store: XenstoreClient,
	node: string,
	backend: string,
): Promise<void> {
	for await (const _ of store.watch(`${backend}/state`, { signal: machine.signal })) {
		const state = await store.find(`${backend}/state`);
		if (state === XENBUS_STATE.closing) await store.write(`${node}/state`, XENBUS_STATE.closed);
		if (state === undefined || state === XENBUS_STATE.closed) return;
	}
}
