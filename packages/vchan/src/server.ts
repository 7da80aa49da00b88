import type { DomId, EvtchnPort, GrantRef } from "@bulkhead/base";
import type { BoundEvtchn, EventChannels, GrantOffers } from "@bulkhead/hypervisor";
import { VchanEndpoint } from "./endpoint.ts";
import { LIVE, OFFSET } from "./layout.ts";
import { MarkedInput } from "./marked-input.ts";
import { offerRings, type ServerRings } from "./offer-rings.ts";
import type { Incoming } from "./ring.ts";

export interface OpenVchanServer {
	offers: GrantOffers;
	evtchns: EventChannels;
	/** The domain that may connect. */
	domid: DomId;
	/** log2 of the ring that the client writes to. Default 10: 1 KiB. */
	leftOrder?: number;
	/** log2 of the ring that the client reads from. Default 11: 2 KiB. */
	rightOrder?: number;
	/** A byte that clients begin with: see MarkedInput. By default no byte has a meaning. */
	reconnectMarker?: number;
	/** A client has come: one at a time. The session before has ended, or will as soon as its reader has taken the rest. */
	onSession: (session: VchanSession) => void;
}

/** The server's end of one client's connection. */
export class VchanSession extends VchanEndpoint {
	/** @internal */
	begin(): void {
		this.start();
	}
}

/**
 * A vchan that another domain may connect to, one client after the other, over the same memory. A client that leaves
 * and comes back (or another one) begins a new session, also when the server has seen nothing of that in between.
 * Without a marker, what the old client has left unread is dropped with it, and the new one should not speak first.
 */
export class VchanServer {
	/** Of the control page; to be published as `ring-ref`. */
	readonly ringRef: GrantRef;
	/** To be published as `event-channel`. */
	readonly port: EvtchnPort;
	readonly #rings: ServerRings;
	readonly #evtchn: BoundEvtchn;
	readonly #options: OpenVchanServer;
	#session: VchanSession | undefined;
	#turn: NodeJS.Immediate | undefined;
	#isClosed = false;

	/** @internal */
	constructor(rings: ServerRings, evtchn: BoundEvtchn, options: OpenVchanServer) {
		this.ringRef = rings.ref;
		this.port = evtchn.port;
		this.#rings = rings;
		this.#evtchn = evtchn;
		this.#options = options;
	}

	/** The client's connection, while one is there. */
	get session(): VchanSession | undefined {
		return this.#session;
	}

	/** @internal The event channel's handler. */
	handleEvent(): void {
		if (this.#isClosed) return;
		if (this.#session) this.#session.handleEvent();
		else this.#followSoon();
	}

	/** Ends the session and takes the memory back. Idempotent. */
	async close(): Promise<void> {
		if (this.#isClosed) return;
		this.#isClosed = true;
		if (this.#turn) clearImmediate(this.#turn);
		const session = this.#session;
		try {
			await session?.close();
		} finally {
			try {
				this.#rings.close();
			} finally {
				this.#evtchn.close();
			}
		}
	}

	#followSoon(): void {
		if (this.#isClosed) return;
		this.#turn ??= setImmediate(() => {
			this.#turn = undefined;
			// Memory that was taken away, with its host, is not looked at again.
			if (this.#rings.page.length > 0 && !this.#session) this.#follow();
		});
	}

	/** Looks whether there is a client to begin a session with. */
	#follow(isMarked = false): void {
		const { page } = this.#rings;
		const live = Atomics.compareExchange(page, OFFSET.clientLive, LIVE.connected, LIVE.accepted);
		if (live === LIVE.connected || isMarked) {
			// A client that found it closed, by a session that ended here, was too early.
			Atomics.store(page, OFFSET.serverLive, LIVE.connected);
			this.#begin(isMarked);
		} else if (live !== LIVE.accepted) {
			this.#rings.incoming.discard();
			this.#rings.outgoing.dropUnread();
			Atomics.store(page, OFFSET.serverLive, LIVE.connected);
			// For clients that wait until nothing of the one before is left.
			const before = Atomics.compareExchange(page, OFFSET.clientLive, LIVE.gone, LIVE.awaited);
			if (before === LIVE.gone) this.#evtchn.notify();
		}
	}

	#begin(isMarked: boolean): void {
		const { page, outgoing } = this.#rings;
		const input = this.#input(isMarked);
		const session: VchanSession = new VchanSession({
			page,
			wishes: { peers: OFFSET.serverNotify, own: OFFSET.clientNotify },
			incoming: input,
			outgoing,
			evtchn: this.#evtchn,
			isPeerThere: () => !isOver(input) && Atomics.load(page, OFFSET.clientLive) === LIVE.accepted,
			onPeerGone: () => this.#lose(session, isOver(input)),
			depart: () => this.#depart(session),
			release: () => {},
		});
		this.#session = session;
		session.begin();
		this.#options.onSession(session);
	}

	#input(isMarked: boolean): Incoming {
		const { incoming } = this.#rings;
		const { reconnectMarker: marker } = this.#options;
		if (marker === undefined) return incoming;
		return new MarkedInput(incoming, { marker, isMarked, onMarker: () => this.handleEvent() });
	}

	/** The session's client is gone, or another one has taken its place. */
	#lose(session: VchanSession, isMarked: boolean): void {
		if (this.#session !== session) return;
		this.#session = undefined;
		if (this.#isClosed) return;
		if (isMarked) this.#follow(true);
		else this.#followSoon();
	}

	/** The session was destroyed here. The next client is let in when this one has been seen to go. */
	#depart(session: VchanSession): void {
		if (this.#session !== session) return;
		this.#session = undefined;
		Atomics.store(this.#rings.page, OFFSET.serverLive, LIVE.gone);
		this.#evtchn.notify();
		this.#followSoon();
	}
}

function isOver(input: Incoming): boolean {
	return input instanceof MarkedInput && input.isOver;
}

/** @throws HypervisorError, ProtocolError for impossible orders; nothing stays offered or bound then */
export function openVchanServer(options: OpenVchanServer): VchanServer {
	let server: VchanServer | undefined;
	const evtchn = options.evtchns.bindUnbound(options.domid, () => server?.handleEvent());
	try {
		server = new VchanServer(offerRings({ ...options, notifyPort: evtchn.port }), evtchn, options);
		return server;
	} catch (error) {
		evtchn.close();
		throw error;
	}
}
