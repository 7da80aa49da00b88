import type { AttachChannel, AttachedChannel, ChannelName } from "@bulkhead/api/relay";
import { Mutex, type ProtocolError, serializeError, type Uuid } from "@bulkhead/base";
import { type ChannelDoor, ChannelRing, type FairTurns, type PtyFiles } from "@bulkhead/console";
import type { ListenerInbox, RingHost } from "@bulkhead/hypervisor";
import type { RelayLog } from "../relay-log.ts";
import { openDoor } from "./open-door.ts";

export interface ChannelTableOptions {
	host: RingHost;
	/** Shared with the other tables of rings. */
	turns: FairTurns;
	inbox: ListenerInbox;
	log: RelayLog;
	onEnded: (ended: ChannelName & { domid: AttachChannel["domid"]; reason: string }) => void;
	/** For fake ptys. */
	ptyFiles?: PtyFiles;
}

interface Entry {
	/** Without keys and tokens. */
	facts: Omit<AttachedChannel, "ptyPath" | "trouble" | "clients" | "fromGuest" | "toGuest" | "dropped">;
	ring: ChannelRing;
	door: ChannelDoor;
}

/** Every channel that is served, by guest and name. Changes run one after the other. */
export class ChannelTable {
	readonly #options: ChannelTableOptions;
	readonly #entries = new Map<string, Entry>();
	readonly #changes = new Mutex();

	constructor(options: ChannelTableOptions) {
		this.#options = options;
	}

	/** Of one guest when it is named. */
	list(guest?: Uuid): AttachedChannel[] {
		const entries = [...this.#entries.values()].filter(({ facts }) => !guest || facts.guest === guest);
		return entries.map(({ facts, ring, door }) => ({
			...facts,
			...(door.ptyPath === undefined ? {} : { ptyPath: door.ptyPath }),
			...(door.trouble === undefined ? {} : { trouble: door.trouble }),
			clients: door.clients,
			...ring.counts,
		}));
	}

	attach(request: AttachChannel): Promise<{ ptyPath?: string }> {
		return this.#changes.run(async () => {
			this.#close(request);
			const { ring, door } = await this.#serve(request);
			const { door: place, ...facts } = request;
			this.#entries.set(key(request), { facts: { ...facts, kind: place.kind }, ring, door });
			this.#options.log.info({ ...facts, kind: place.kind }, "Attached a channel");
			return door.ptyPath === undefined ? {} : { ptyPath: door.ptyPath };
		});
	}

	/** Nothing attached is success. */
	detach(name: ChannelName): Promise<void> {
		return this.#changes.run(async () => this.#close(name));
	}

	forget(guest: Uuid): Promise<void> {
		return this.#changes.run(async () => {
			for (const { facts } of this.#entries.values()) if (facts.guest === guest) this.#close(facts);
		});
	}

	/** Lets go of everything at once. */
	stop(): void {
		for (const { facts } of this.#entries.values()) this.#close(facts);
	}

	async #serve(request: AttachChannel): Promise<Pick<Entry, "ring" | "door">> {
		const { host, turns, inbox, ptyFiles, log } = this.#options;
		const { guest, name, domid, gref, remotePort } = request;
		const { evtchns, grants, devices } = host;
		const onBroken = (error: ProtocolError): void => this.#broken(request, error);
		const ring = ChannelRing.attach({
			evtchns,
			grants,
			domid,
			gref,
			remotePort,
			onBroken,
			schedule: turns.plan,
		});
		const onTrouble = (what: string, error: Error | undefined): void =>
			log.warn({ guest, name, error: error && serializeError(error) }, what);
		try {
			return { ring, door: await openDoor(request.door, ring, { devices, inbox, ptyFiles, onTrouble }) };
		} catch (error) {
			ring.end();
			throw error;
		}
	}

	#close(name: ChannelName): void {
		const entry = this.#entries.get(key(name));
		if (!entry) return;
		this.#entries.delete(key(name));
		entry.ring.end();
		entry.door.close();
		this.#options.log.info({ guest: name.guest, name: name.name }, "Detached a channel");
	}

	#broken(request: AttachChannel, error: ProtocolError): void {
		const { guest, name, domid } = request;
		this.#options.log.warn({ guest, name, domid, error: serializeError(error) }, "Gave a channel's ring up");
		this.#close(request);
		this.#options.onEnded({ guest, name, domid, reason: error.message });
	}
}

const key = ({ guest, name }: ChannelName): string => `${guest}/${name}`;
