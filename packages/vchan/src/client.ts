import { type DomId, type EvtchnPort, type GrantRef, grantRef, type WaitOptions, withDeadline } from "@bulkhead/base";
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
	return new ControlPage(options).connect();
}

/**
 * The same, once the server says that nobody is connected and nothing of the client before is left in the rings: of
 * servers that offer the channel again (ours, which put LIVE.awaited back). For protocols in which a stranger's bytes
 * would be taken for the answer.
 * @throws DeadlineError, CancelledError, and what openVchanClient throws
 */
export async function openVacantVchanClient(options: OpenVchanClient, wait: WaitOptions): Promise<VchanClient> {
	const control = new ControlPage(options);
	try {
		await control.awaitVacancy(wait);
	} catch (error) {
		control.release();
		throw error;
	}
	return control.connect();
}

/** A server's control page, mapped and bound, before its rings are. */
class ControlPage {
	readonly #options: OpenVchanClient;
	readonly #maps: MappedGrants[] = [];
	readonly #evtchn: BoundEvtchn;
	readonly #page: Uint8Array;
	#client: VchanClient | undefined;
	#onEvent = (): void => {};

	constructor(options: OpenVchanClient) {
		this.#options = options;
		const { grants, evtchns, domid, ringRef, remotePort } = options;
		this.#evtchn = evtchns.bindInterdomain(domid, remotePort, () => this.#handleEvent());
		try {
			const onUnmap = { clearByteOffset: OFFSET.clientLive, notifyPort: this.#evtchn.port };
			const control = grants.map(domid, [ringRef], { writable: true, onUnmap });
			this.#maps.push(control);
			this.#page = new Uint8Array(control.buffer, 0, PAGE_BYTES);
		} catch (error) {
			this.release();
			throw error;
		}
	}

	async awaitVacancy(wait: WaitOptions): Promise<void> {
		const page = this.#page;
		const vacant = new Promise<void>((resolve) => {
			this.#onEvent = () => {
				const isServed = Atomics.load(page, OFFSET.serverLive) !== LIVE.gone;
				if (isServed && Atomics.load(page, OFFSET.clientLive) === LIVE.awaited) resolve();
			};
		});
		this.#onEvent();
		try {
			await withDeadline(vacant, wait);
		} finally {
			this.#onEvent = () => {};
		}
	}

	connect(): VchanClient {
		try {
			return this.#connect();
		} catch (error) {
			this.release();
			throw error;
		}
	}

	/** Idempotent. */
	release(): void {
		releaseAll(this.#maps, this.#evtchn);
	}

	#connect(): VchanClient {
		const { reconnectMarker } = this.#options;
		const page = this.#page;
		const { left, right } = readLayout(page);
		const outgoing = new RingProducer(leftRing(page, this.#locate(left, true)));
		const incoming = new RingConsumer(rightRing(page, this.#locate(right, false)));
		const release = (): void => this.release();
		const client = new VchanClient({ page, outgoing, incoming, evtchn: this.#evtchn, release });
		this.#client = client;
		if (reconnectMarker !== undefined) client.write(Buffer.of(reconnectMarker));
		return client;
	}

	#locate(place: RingPlace, writable: boolean): Uint8Array {
		if (place.kind === "in-page") return this.#page.subarray(place.offset, place.offset + place.sizeBytes);
		const { grants, domid } = this.#options;
		const map = grants.map(domid, place.grefs.map(grantRef), { writable });
		this.#maps.push(map);
		return new Uint8Array(map.buffer, 0, place.sizeBytes);
	}

	#handleEvent(): void {
		if (this.#client) this.#client.handleEvent();
		else this.#onEvent();
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
