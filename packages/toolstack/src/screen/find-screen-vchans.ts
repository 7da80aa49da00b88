import { type DomId, type EvtchnPort, evtchnPort, type GrantRef, grantRef, ProtocolError } from "@bulkhead/base";
import type { XenstoreClient } from "@bulkhead/xenstore";
import type { DeviceModelPlace } from "../device-model/await-running.ts";
import { deviceModelPath } from "../domain/paths.ts";

/** What the relay takes at most; our own image offers 4. */
const MOST_SLOTS = 8;

export interface ScreenSlot {
	ringRef: GrantRef;
	remotePort: EvtchnPort;
}

/**
 * The vchans that the stub domain offers for viewers, published before its QMP is: none when its image knows of no
 * screen. All of it is the stub's word: numbers in range, nodes of its own, no vchan twice.
 * @throws ProtocolError; InvalidInputError for numbers that are none
 */
export async function findScreenVchans(store: XenstoreClient, place: DeviceModelPlace): Promise<ScreenSlot[]> {
	const root = `${deviceModelPath(place.stub, place.guest.domid)}/screen-vchan`;
	const found = await Promise.all(
		Array.from({ length: MOST_SLOTS }, (_, slot) => findSlot(store, place.stub, `${root}/${slot}`)),
	);
	const slots = found.filter((slot) => slot !== undefined);
	for (const key of ["ringRef", "remotePort"] as const)
		if (new Set(slots.map((slot) => slot[key])).size < slots.length)
			throw new ProtocolError("The stub domain offers one vchan of its screen twice", {
				fields: { domid: place.stub },
			});
	return slots;
}

async function findSlot(store: XenstoreClient, stub: DomId, path: string): Promise<ScreenSlot | undefined> {
	const nodes = [`${path}/ring-ref`, `${path}/event-channel`] as const;
	const [ref, port] = await Promise.all(nodes.map((node) => store.find(node)));
	// 0 stands for none, as libxenvchan has it.
	if (ref === undefined || port === undefined || ref === "0" || port === "0") return undefined;
	for (const [owner] of await Promise.all(nodes.map((node) => store.permissions(node))))
		if (owner?.domid !== stub)
			throw new ProtocolError("A node of the screen's belongs to another domain", { fields: { path } });
	return { ringRef: grantRef(ref), remotePort: evtchnPort(port) };
}
