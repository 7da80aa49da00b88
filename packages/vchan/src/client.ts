import { type DomId, type EvtchnPort, type GrantRef, grantRef } from "@bulkhead/base";
import type { BoundEvtchn, EventChannels, GrantMaps, MappedGrants } from "@bulkhead/hypervisor";
import { type EndpointParts, VchanEndpoint } from "./endpoint.ts";
import { LIVE, NOTIFY, OFFSET, PAGE_BYTES, type RingPlace, readLayout } from "./layout.ts";
import { RingConsumer, RingProducer } from "./ring.ts";
import { leftRing, rightRing } from "./ring-memory.ts";

export interface OpenVchanClient {
	grants: GrantMaps;
	evtchns: EventChannels;
	/** The serving domain. */
	domid: DomId;
	/** Of the control page, as the server published it. */
	ringRef: GrantRef;
	/** The server's port, as it published it. */
	remotePort: EvtchnPort;
	/** A byte to begin with, if the server looks out for one: see MarkedInput. */
	reconnectMarker?: number;
}

/** The client's end: connected from the beginning. */
export class VchanClient extends VchanEndpoint {
	constructor(parts: Pick<EndpointParts, "page" | "incoming" | "outgoing" | "evtchn" | "release">) {
		const { page, evtchn } = parts;
		super({
			...parts,
			wishes: { peers: OFFSET.clientNotify, own: OFFSET.serverNotify },
			isPeerThere: () => Atomics.load(page, OFFSET.serverLive) !== LIVE.gone,
			depart: () => {
				Atomics.store(page, OFFSET.clientLive, LIVE.gone);
				evtchn.notify();
			},
		});
		Atomics.store(page, OFFSET.clientLive, LIVE.connected);
		Atomics.or(page, OFFSET.serverNotify, NOTIFY.written);
		this.start();
	}
}

/**
 * Connects to a vchan that another domain serves. The kernel clears our live byte and tells the server when this
 * process is killed. A vchan has one client at a time: its rings have one reader and one writer.
 * @throws HypervisorError, ProtocolError for impossible ring sizes; nothing stays mapped or bound then
 */
export function openVchanClient(options: OpenVchanClient): VchanClient {
	const { grants, evtchns, domid, ringRef, remotePort, reconnectMarker } = options;
	let client: VchanClient | undefined;
	const evtchn = evtchns.bindInterdomain(domid, remotePort, () => client?.handleEvent());
	const maps: MappedGrants[] = [];
	const release = (): void => releaseAll(maps, evtchn);
	try {
		const onUnmap = { clearByteOffset: OFFSET.clientLive, notifyPort: evtchn.port };
		const control = grants.map(domid, [ringRef], { writable: true, onUnmap });
		maps.push(control);
		const page = new Uint8Array(control.buffer, 0, PAGE_BYTES);
		const locate = (place: RingPlace, writable: boolean): Uint8Array => {
			if (place.kind === "in-page") return page.subarray(place.offset, place.offset + place.sizeBytes);
			const map = grants.map(domid, place.grefs.map(grantRef), { writable });
			maps.push(map);
			return new Uint8Array(map.buffer, 0, place.sizeBytes);
		};
		const { left, right } = readLayout(page);
		const outgoing = new RingProducer(leftRing(page, locate(left, true)));
		const incoming = new RingConsumer(rightRing(page, locate(right, false)));
		client = new VchanClient({ page, outgoing, incoming, evtchn, release });
		if (reconnectMarker !== undefined) client.write(Buffer.of(reconnectMarker));
		return client;
	} catch (error) {
		release();
		throw error;
	}
}

/** The mappings first: the kernel uses the port to tell the server of the control page's end. */
function releaseAll(maps: MappedGrants[], evtchn: BoundEvtchn): void {
	try {
		for (const map of maps.splice(0)) map.unmap();
	} finally {
		evtchn.close();
	}
}
