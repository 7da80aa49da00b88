import { BulkheadError, type DomId, Mutex, serializeError, TokenBucket, type Uuid } from "@bulkhead/base";
import type { XenstoreClient } from "@bulkhead/xenstore";
import type { ToolstackContext } from "../context.ts";
import { XENBUS_STATE } from "../devices/xenbus.ts";
import { xenbusPaths } from "../devices/xenbus-device.ts";
import { backendsPath, domainPath } from "../domain/paths.ts";
import { type ChannelRingPlace, openDoor, readRing } from "./channel-door.ts";
import type { ListenerHost } from "./channel-listener.ts";
import type { NumberedChannel } from "./channel-nodes.ts";

export interface ChannelServerParts {
	host: ListenerHost & Pick<ToolstackContext, "rings"> & { xenstore: XenstoreClient };
	guest: Uuid;
	domid: DomId;
	/** The guest's channels as they are now. */
	channels: () => readonly NumberedChannel[];
	/** A channel cannot be served: said once a reason. */
	onProblem: (channel: string, error: unknown) => void;
}

const OFFERED: ReadonlySet<string> = new Set([`${XENBUS_STATE.initialised}`, `${XENBUS_STATE.connected}`]);
const CLOSING = `${XENBUS_STATE.closing}`;
/** How often a guest may have a channel of its served anew: each time is work of the daemon's and the relay's. */
const ATTACHES = { burst: 20, perSecond: 1 } as const;
const NEXT_ATTACH_MS = 1000;
const CLOSED = `${XENBUS_STATE.closed}`;

/**
 * The backend's part of a guest's channels, in xenstore: what a frontend offers is given to the relay, what it lets go
 * of is taken back, as often as the guest likes. What a guest writes are numbers and states; names, doors and paths are
 * the config's.
 */
export class ChannelServer {
	readonly #parts: ChannelServerParts;
	readonly #looking = new Mutex();
	readonly #end = new AbortController();
	/** By name, while the relay serves it. */
	#served = new Map<string, ChannelRingPlace>();
	#isFresh = false;
	readonly #givenUp = new Set<string>();
	/** By name. */
	readonly #attaches = new Map<string, TokenBucket>();
	#nextLook: NodeJS.Timeout | undefined;
	/** Why a channel is not served, by name. */
	readonly problems: Map<string, string> = new Map();

	constructor(parts: ChannelServerParts) {
		this.#parts = parts;
	}

	/** Follows both ends until `stop`: ours, as removing a channel asks it to close. @throws XenstoreError when xenstored is lost */
	async run(): Promise<void> {
		const { domid } = this.#parts;
		const roots = [`${domainPath(domid)}/device/console`, backendsPath(domid, "console")];
		await Promise.all(roots.map((root) => this.#follow(root)));
	}

	async #follow(root: string): Promise<void> {
		const { signal } = this.#end;
		try {
			for await (const path of this.#parts.host.xenstore.watch(root, { signal })) {
				const number = /^\/(\d{1,3})(?:\/|$)/.exec(path.slice(root.length))?.[1];
				await this.#look(({ devid }) => number === undefined || devid === Number(number));
			}
		} catch (error) {
			if (!signal.aborted) throw error;
		}
	}

	/** Before the domain goes: resolves when nothing is given to the relay any more. What it serves, it goes on serving. */
	async stop(): Promise<void> {
		this.#end.abort();
		clearTimeout(this.#nextLook);
		await this.#looking.run(async () => {});
	}

	/** Looks at all again: a channel has come or is going. */
	lookAgain(): Promise<void> {
		return this.#look(() => true);
	}

	/** The relay has given a ring up: its guest broke the protocol. */
	ringEnded(name: string, error: Error): Promise<void> {
		return this.#looking.run(async () => {
			const each = this.#parts.channels().find(({ channel }) => channel.name === name);
			if (!each || !this.#served.delete(name)) return;
			this.#note(name, error);
			await this.#giveUp(each);
		});
	}

	/** Another relay has come: what the one before served is nothing any more. */
	async relayIsBack(): Promise<void> {
		this.#isFresh = false;
		await this.lookAgain();
	}

	#look(which: (channel: NumberedChannel) => boolean): Promise<void> {
		return this.#looking.run(async () => {
			try {
				if (!this.#isFresh) await this.#learnServed();
			} catch (error) {
				// It is asked again at the next change, or when it is back.
				if (!isRelayDown(error)) this.#parts.onProblem("all", error);
				return;
			}
			for (const each of this.#parts.channels().filter(which)) {
				if (this.#end.signal.aborted) return;
				await this.#settle(each);
			}
		});
	}

	/** An earlier daemon may have had the relay serve them. */
	async #learnServed(): Promise<void> {
		const { host, guest, domid } = this.#parts;
		const served = await host.rings.servedChannels(guest);
		this.#served = new Map(served.filter((each) => each.domid === domid).map((each) => [each.name, each]));
		this.#isFresh = true;
	}

	async #settle(each: NumberedChannel): Promise<void> {
		const { name } = each.channel;
		try {
			await this.#answer(each);
		} catch (error) {
			this.#note(name, error);
			if (!isRelayDown(error)) await this.#giveUp(each);
		}
	}

	/** Closed until its frontend begins anew. Else a guest would wait for it in its boot, and could have it tried for ever. */
	#giveUp(each: NumberedChannel): Promise<void> {
		this.#givenUp.add(each.channel.name);
		return this.#say(this.#pathsOf(each).backend, XENBUS_STATE.closed);
	}

	/** It is gone, or its frontend begins anew: what was wrong is over. */
	#forgive(name: string): void {
		this.problems.delete(name);
		this.#givenUp.delete(name);
	}

	#note(name: string, error: unknown): void {
		const text = serializeError(error).message;
		if (this.problems.get(name) !== text) this.#parts.onProblem(name, error);
		this.problems.set(name, text);
	}

	async #answer(each: NumberedChannel): Promise<void> {
		const { xenstore } = this.#parts.host;
		const { frontend, backend } = this.#pathsOf(each);
		const [offered, state] = await Promise.all([xenstore.find(`${frontend}/state`), xenstore.find(`${backend}/state`)]);
		const { name } = each.channel;
		if (state === undefined) {
			this.#forgive(name);
			this.#attaches.delete(name);
			return this.#detach(each);
		}
		if (offered !== undefined && OFFERED.has(offered)) {
			// One that is to go says so itself, or is gone soon.
			if (state !== CLOSING && !this.#givenUp.has(name)) await this.#serve(each);
			return;
		}
		await this.#detach(each);
		const isOver =
			offered === undefined ||
			offered === CLOSING ||
			state === CLOSING ||
			(offered === CLOSED && this.#givenUp.has(name));
		if (!isOver) this.#forgive(name);
		await this.#say(backend, isOver ? XENBUS_STATE.closed : XENBUS_STATE.initWait);
	}

	async #serve(each: NumberedChannel): Promise<void> {
		const { host, guest, domid } = this.#parts;
		const { channel, devid } = each;
		const { frontend, backend } = this.#pathsOf(each);
		const ring = { devid, ...(await readRing(host.xenstore, frontend)) };
		const served = this.#served.get(channel.name);
		if (!served || !isSame(served, ring)) {
			await this.#detach(each);
			if (!this.#mayAttach(channel.name)) {
				this.#lookLater();
				return;
			}
			const door = await openDoor(host, channel);
			const { ptyPath } = await host.rings.attachChannel({ guest, name: channel.name, domid, ...ring, door });
			this.#served.set(channel.name, ring);
			if (ptyPath !== undefined) await host.xenstore.write(`${frontend}/tty`, ptyPath);
		}
		this.problems.delete(channel.name);
		await this.#say(backend, XENBUS_STATE.connected);
	}

	#mayAttach(name: string): boolean {
		const bucket = this.#attaches.get(name) ?? new TokenBucket(ATTACHES);
		this.#attaches.set(name, bucket);
		return bucket.take();
	}

	#lookLater(): void {
		if (this.#end.signal.aborted) return;
		this.#nextLook ??= setTimeout(() => {
			this.#nextLook = undefined;
			this.lookAgain().catch((error) => this.#parts.onProblem("all", error));
		}, NEXT_ATTACH_MS);
	}

	async #detach({ channel }: NumberedChannel): Promise<void> {
		if (!this.#served.has(channel.name)) return;
		await this.#parts.host.rings.detachChannel(this.#parts.guest, channel.name);
		this.#served.delete(channel.name);
	}

	/**
	 * A backend that has been removed meanwhile is not made again, and one that was asked to close closes. Its folder is
	 * domain 0's: no guest makes this fail.
	 */
	async #say(backend: string, state: number): Promise<void> {
		await this.#parts.host.xenstore.transaction(async (tx) => {
			const before = await tx.find(`${backend}/state`);
			if (before === undefined || before === `${state}`) return;
			if (before !== CLOSING || state === XENBUS_STATE.closed) await tx.write(`${backend}/state`, state);
		});
	}

	#pathsOf({ devid }: NumberedChannel): { frontend: string; backend: string } {
		return xenbusPaths({ domid: this.#parts.domid, kind: "console", devid });
	}
}

const isRelayDown = (error: unknown): boolean =>
	error instanceof BulkheadError && (error.code === "relay-unreachable" || error.code === "relay-lost");

const isSame = (one: ChannelRingPlace, other: ChannelRingPlace): boolean =>
	one.devid === other.devid && one.gref === other.gref && one.remotePort === other.remotePort;
