import { mkdirSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { AttachConsole, AttachedConsole, ConsoleName, ConsolePaths, RelayResult } from "@bulkhead/api/relay";
import { errnoOf, Mutex, type ProtocolError, serializeError, type Uuid } from "@bulkhead/base";
import { type FairTurns, Journal, type PtyFiles, REPLACED, ServedConsole } from "@bulkhead/console";
import type { RingHost } from "@bulkhead/hypervisor";
import type { RelayLog } from "../relay-log.ts";

export interface ConsoleTableOptions {
	host: RingHost;
	/** Shared with the other tables of rings. */
	turns: FairTurns;
	/** Raw sockets go to `<guestsDirectory>/<uuid>/<label>.sock`. */
	guestsDirectory: string;
	/** Journals go to `<journalDirectory>/<uuid>/`. */
	journalDirectory: string;
	/** Differs for every boot of this host: domids begin anew with each. */
	bootId: string;
	log: RelayLog;
	onEnded: (ended: ConsoleName & { domid: AttachConsole["domid"]; reason: string }) => void;
	segmentBytes?: number;
	/** For fake ptys. */
	ptyFiles?: PtyFiles;
}

interface Entry {
	request: AttachConsole;
	console: ServedConsole;
}

/** Every console that is served, by guest and label. Changes run one after the other. */
export class ConsoleTable {
	readonly #options: ConsoleTableOptions;
	readonly #entries = new Map<string, Entry>();
	readonly #changes = new Mutex();
	readonly #draining = new Set<ServedConsole>();

	constructor(options: ConsoleTableOptions) {
		this.#options = options;
	}

	find(guest: Uuid, label: string): ServedConsole | undefined {
		return this.#entries.get(key({ guest, label }))?.console;
	}

	/** Of one guest when it is named. */
	list(guest?: Uuid): AttachedConsole[] {
		const entries = [...this.#entries.values()].filter(({ request }) => !guest || request.guest === guest);
		return entries.map(({ request, console }) => ({
			...request,
			...this.#paths(console),
			readers: console.backend.readers,
			outputBytes: console.backend.journal.end,
			blocked: console.backend.blocked,
		}));
	}

	attach(request: AttachConsole): Promise<ConsolePaths> {
		return this.#changes.run(async () => {
			const found = this.#entries.get(key(request));
			if (found && isSame(found.request, request)) return this.#paths(found.console);
			if (found) this.#let(found, REPLACED, { purge: false });
			const console = await this.#serve(request);
			this.#entries.set(key(request), { request, console });
			this.#options.log.info({ ...request }, "Attached a console");
			return this.#paths(console);
		});
	}

	/** Nothing attached is success; its journal is told all the same that its ring is gone. */
	detach(name: ConsoleName, { purge }: { purge: boolean }): Promise<void> {
		return this.#changes.run(async () => this.#detach(name, { purge }));
	}

	/** Detaches all of a guest's consoles and removes its journals and sockets. */
	forget(guest: Uuid): Promise<void> {
		return this.#changes.run(async () => {
			for (const { request } of [...this.#entries.values()])
				if (request.guest === guest) this.#detach(request, { purge: true });
			rmSync(join(this.#options.journalDirectory, guest), { recursive: true, force: true });
			rmSync(join(this.#options.guestsDirectory, guest), { recursive: true, force: true });
		});
	}

	tail({ guest, label, maxBytes }: ConsoleName & { maxBytes: number }): RelayResult<"tail"> {
		const served = this.find(guest, label)?.backend.journal;
		const journal = served ?? Journal.find({ directory: join(this.#options.journalDirectory, guest), label });
		if (!journal) return { base64: "", offset: 0 };
		try {
			const offset = Math.max(journal.start, journal.end - maxBytes);
			const parts: Uint8Array[] = [];
			for (let at = offset; at < journal.end; ) {
				const part = journal.read(at, journal.end - at);
				if (part.length === 0) break;
				parts.push(part);
				at += part.length;
			}
			return { base64: Buffer.concat(parts).toString("base64"), offset };
		} finally {
			if (!served) journal.close();
		}
	}

	/** Lets go of everything at once. Rings and journals stay as they are, for the next relay to go on with. */
	stop(): void {
		for (const { console } of this.#entries.values()) console.destroy();
		for (const console of this.#draining) console.destroy();
		this.#entries.clear();
		this.#draining.clear();
	}

	async #serve(request: AttachConsole): Promise<ServedConsole> {
		const { host, turns, guestsDirectory, journalDirectory, bootId, segmentBytes, ptyFiles } = this.#options;
		const { guest, label, domid, gref, remotePort, pty } = request;
		const socketDirectory = join(guestsDirectory, guest);
		mkdirSync(socketDirectory, { recursive: true, mode: 0o750 });
		const journal = Journal.open({ directory: join(journalDirectory, guest), label, segmentBytes });
		try {
			return await ServedConsole.open({
				evtchns: host.evtchns,
				grants: host.grants,
				devices: host.devices,
				ptyFiles,
				domid,
				gref,
				remotePort,
				pty,
				journal,
				schedule: turns.plan,
				ringId: `${bootId}/${domid}/${gref}/${remotePort}`,
				socketPath: join(socketDirectory, `${label}.sock`),
				onBroken: (error) => this.#broken(request, error),
				onJournalTrouble: (error) => {
					const context = { guest, label, error: serializeError(error) };
					this.#options.log.error(context, "Cannot write a console's journal, the guest waits");
				},
			});
		} catch (error) {
			journal.close();
			throw error;
		}
	}

	#detach(name: ConsoleName, { purge }: { purge: boolean }): void {
		const entry = this.#entries.get(key(name));
		if (entry) {
			this.#let(entry, "detached", { purge });
			this.#options.log.info({ guest: name.guest, label: name.label, purge }, "Detached a console");
		} else this.#settleJournal(name, purge);
		if (!purge) return;
		removeIfEmpty(join(this.#options.journalDirectory, name.guest));
	}

	/** The ring goes now, the readers when they have taken what is left; the journal's files are free at once. */
	#let({ request, console }: Entry, reason: string, { purge }: { purge: boolean }): void {
		this.#entries.delete(key(request));
		this.#draining.add(console);
		console.backend.end(reason);
		if (purge) console.backend.journal.purge();
		else console.backend.journal.forgetRing();
		void console.close(reason).finally(() => this.#draining.delete(console));
	}

	#settleJournal({ guest, label }: ConsoleName, purge: boolean): void {
		const journal = Journal.find({ directory: join(this.#options.journalDirectory, guest), label });
		if (!journal) return;
		try {
			if (purge) journal.purge();
			else journal.forgetRing();
		} finally {
			journal.close();
		}
	}

	#broken(request: AttachConsole, error: ProtocolError): void {
		const entry = this.#entries.get(key(request));
		const { guest, label, domid } = request;
		this.#options.log.warn({ guest, label, domid, error: serializeError(error) }, "Gave a console's ring up");
		if (entry?.request === request) this.#let(entry, error.message, { purge: false });
		this.#options.onEnded({ guest, label, domid, reason: error.message });
	}

	#paths(console: ServedConsole): ConsolePaths {
		const { ptyPath, socketPath } = console;
		return { ...(ptyPath === undefined ? {} : { ptyPath }), socketPath, journalPath: console.backend.journal.path };
	}
}

function key({ guest, label }: ConsoleName): string {
	return `${guest}/${label}`;
}

function isSame(one: AttachConsole, other: AttachConsole): boolean {
	return (
		one.domid === other.domid &&
		one.gref === other.gref &&
		one.remotePort === other.remotePort &&
		one.index === other.index &&
		one.pty === other.pty
	);
}

function removeIfEmpty(directory: string): void {
	try {
		rmdirSync(directory);
	} catch (error) {
		if (!["ENOTEMPTY", "EEXIST", "ENOENT"].includes(errnoOf(error) ?? "")) throw error;
	}
}
