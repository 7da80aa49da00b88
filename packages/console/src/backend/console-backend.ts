import { type DomId, type EvtchnPort, type GrantRef, Looks, ProtocolError } from "@bulkhead/base";
import type { EventChannels, GrantMaps, MappedGrants } from "@bulkhead/hypervisor";
import type { Journal } from "../journal/journal.ts";
import { ConsoleRing } from "../ring/console-ring.ts";
import { RingEvents } from "../ring/ring-events.ts";
import { ConsoleInput, type InputSource } from "./console-input.ts";
import { ConsoleReader, type ReadFrom } from "./console-reader.ts";

export interface ConsoleBackendOptions {
	evtchns: EventChannels;
	grants: GrantMaps;
	domid: DomId;
	gref: GrantRef;
	remotePort: EvtchnPort;
	/** Differs between any two rings, also across boots of the host; the same for the same ring after a restart. */
	ringId: string;
	/** Owned from here on: `release` closes it. */
	journal: Journal;
	/** The ring has become useless (not called for `end`). */
	onBroken: (error: ProtocolError) => void;
	/** The journal cannot be written: the guest waits and it is tried again every second. */
	onJournalTrouble?: (error: unknown) => void;
	/** How the next turn is put behind other work of the event loop: FairTurns where there are many. Default setImmediate. */
	schedule?: (turn: () => void) => void;
}

/** The reason of `end` when another ring takes this one's place under the same name: framed clients just come again. */
export const REPLACED = "replaced";

/** Taken from one guest before others get their turn: 16 full rings. */
const TURN_BYTES = 32 * 1024;
/** A turn that has taken so much waits for as much again before it ends: the guest writes on while we do. */
const STREAM_BYTES = 512;
/** Looks at the ring for that, in one turn: some ten microseconds. */
const LOOKS_PER_TURN = 4000;
const JOURNAL_RETRY_MS = 1000;

/**
 * Serves one console ring: the guest's output goes into the journal and only then is taken out of the ring; readers
 * are fed from the journal; input goes into the ring as far as there is space.
 *
 * The guest waits (nothing is taken from its ring) while the journal has no room that a connected reader does not need,
 * or cannot be written. With no reader connected the journal simply goes on.
 */
export class ConsoleBackend {
	readonly journal: Journal;
	readonly input: ConsoleInput;
	readonly ringId: string;
	readonly #options: ConsoleBackendOptions;
	readonly #readers = new Set<ConsoleReader>();
	readonly #mapping: MappedGrants;
	readonly #events: RingEvents;
	readonly #ring: ConsoleRing;
	#ended: string | undefined;
	#onReadersGone: (() => void) | undefined;
	#blocked = false;
	readonly #looks = new Looks(LOOKS_PER_TURN);
	#retry: NodeJS.Timeout | undefined;

	/** Maps, binds and takes over. On failure nothing is held but the journal, which stays the caller's. @throws HypervisorError, ProtocolError */
	static attach(options: ConsoleBackendOptions): ConsoleBackend {
		const mapping = options.grants.map(options.domid, [options.gref], { writable: true });
		try {
			const ring = new ConsoleRing(mapping.buffer);
			const { ringId, journal } = options;
			ring.consumeOutput(journal.adoptRing(ringId, ring.outputCounter, ring.pendingOutput()));
			return new ConsoleBackend(options, mapping, ring);
		} catch (error) {
			mapping.unmap();
			throw error;
		}
	}

	private constructor(options: ConsoleBackendOptions, mapping: MappedGrants, ring: ConsoleRing) {
		this.#options = options;
		this.#mapping = mapping;
		this.#ring = ring;
		this.journal = options.journal;
		this.ringId = options.ringId;
		this.input = new ConsoleInput(ring.inputCounter);
		const { evtchns, domid, remotePort, schedule = setImmediate } = options;
		this.#events = new RingEvents({ evtchns, domid, remotePort, schedule, turn: () => this.#turn() });
		// Whatever the frontend did before the port was bound raised no event here; and a guest that slept through the
		// death of the last backend is told of the bytes that were taken.
		this.#events.plan();
		this.#events.notify();
	}

	/** Why the console has ended, undefined while it lives. */
	get ended(): string | undefined {
		return this.#ended;
	}

	/** The guest waits for a reader or for the disk. */
	get blocked(): boolean {
		return this.#blocked;
	}

	get readers(): number {
		return this.#readers.size;
	}

	openReader(from: ReadFrom, onReadable: () => void): ConsoleReader {
		const reader = new ConsoleReader({
			journal: this.journal,
			from,
			onReadable,
			onMoved: () => this.#unblock(),
			onClose: (closed) => this.#close(closed),
		});
		this.#readers.add(reader);
		return reader;
	}

	/** Queues input; false when it had to be dropped (see ConsoleInput.push) or the console has ended. */
	type(source: InputSource, bytes: Uint8Array): boolean {
		if (this.#ended !== undefined || !this.input.push(source, bytes)) return false;
		this.#events.plan();
		return true;
	}

	/**
	 * Takes what the ring still holds, lets go of it and tells the readers, which may read on in the journal. Idempotent.
	 */
	end(reason: string): void {
		if (this.#ended !== undefined) return;
		this.#ended = reason;
		clearTimeout(this.#retry);
		try {
			this.#takeRest();
		} catch (error) {
			this.#options.onJournalTrouble?.(error);
		} finally {
			this.#events.close();
			this.#mapping.unmap();
			this.input.clear();
		}
		for (const reader of this.#readers) reader.onReadable();
	}

	/** Resolves when no reader is left, or when the time is up. For one caller, after `end`. */
	async readersGone(timeoutMs: number): Promise<void> {
		if (this.#readers.size === 0) return;
		await new Promise<void>((resolve) => {
			const timer = setTimeout(resolve, timeoutMs);
			this.#onReadersGone = () => {
				clearTimeout(timer);
				resolve();
			};
		});
	}

	/** Ends, and closes the journal. */
	release(): void {
		this.end("closed");
		this.journal.close();
	}

	#close(reader: ConsoleReader): void {
		this.#readers.delete(reader);
		if (this.#readers.size === 0) this.#onReadersGone?.();
	}

	#unblock(): void {
		if (this.#blocked && this.#retry === undefined) this.#events.plan();
	}

	/** Answers how many bytes it has moved. */
	#turn(): number {
		if (this.#ended !== undefined) return 0;
		try {
			const taken = this.#takeOutput();
			const given = this.input.pump(this.#ring);
			if (taken + given > 0) this.#events.notify();
			if (taken > 0) for (const reader of this.#readers) reader.onReadable();
			return taken + given;
		} catch (error) {
			if (!(error instanceof ProtocolError)) throw error;
			this.end(error.message);
			this.#options.onBroken(error);
			return 0;
		}
	}

	#takeOutput(): number {
		let taken = 0;
		this.#blocked = false;
		this.#looks.renew();
		for (let pending = this.#pendingOutput(taken); pending > 0; pending = this.#pendingOutput(taken)) {
			if (taken >= TURN_BYTES) {
				this.#events.plan();
				break;
			}
			const written = this.#record(pending);
			if (written === 0) {
				this.#blocked = true;
				break;
			}
			taken += written;
		}
		return taken;
	}

	/** In the middle of a stream: once it is worth a write to the journal, or all looks are used. @throws ProtocolError */
	#pendingOutput(taken: number): number {
		if (taken < STREAM_BYTES) return this.#ring.pendingOutput();
		return this.#looks.lookFor(STREAM_BYTES, () => this.#ring.pendingOutput());
	}

	/** Journal first, ring second: a death in between repeats nothing, see Journal.adoptRing. */
	#record(pending: number): number {
		let written: number;
		try {
			const room = this.journal.makeRoom(this.#neededFrom());
			if (room === 0) return 0;
			written = this.journal.append(this.#ring.copyOutput(Math.min(pending, room)));
		} catch (error) {
			this.#retryLater(error);
			return 0;
		}
		this.#ring.consumeOutput(written);
		return written;
	}

	#retryLater(error: unknown): void {
		if (this.#retry !== undefined) return;
		this.#options.onJournalTrouble?.(error);
		this.#retry = setTimeout(() => {
			this.#retry = undefined;
			this.#events.plan();
		}, JOURNAL_RETRY_MS);
		this.#retry.unref();
	}

	#neededFrom(): number {
		let oldest = Number.POSITIVE_INFINITY;
		for (const reader of this.#readers) oldest = Math.min(oldest, reader.offset);
		return oldest;
	}

	/** At most one ring's worth, above the segment's limit if need be: readers that lag lose nothing. */
	#takeRest(): void {
		let rest: number;
		try {
			rest = this.#ring.pendingOutput();
		} catch {
			return; // Broken: that is why it ends.
		}
		while (rest > 0) {
			const written = this.journal.append(this.#ring.copyOutput(rest));
			this.#ring.consumeOutput(written);
			rest -= written;
			if (written === 0) return;
		}
	}
}
