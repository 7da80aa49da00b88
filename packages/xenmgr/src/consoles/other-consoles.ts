import type { OtherConsole } from "@bulkhead/api";
import { CancelledError, DOM0, type DomId, Mutex, serializeError, type Uuid } from "@bulkhead/base";
import type { DomainInfo } from "@bulkhead/hypervisor";
import {
	consolesBelongHere,
	domainPath,
	findForeignConsole,
	foreignConsolePath,
	publishTty,
} from "@bulkhead/toolstack";
import type { Guests } from "../guests/guests.ts";
import type { Services } from "../services.ts";
import { ConsoleLedger } from "./console-ledger.ts";

/** As for our own guests' PV consoles. */
const LABEL = "pv";

interface OtherDomain {
	domid: DomId;
	uuid: Uuid;
	/** Aborts when the domain has ended. */
	stop: AbortController;
	/** Attaching and letting go, one after the other. */
	changes: Mutex;
	isServed: boolean;
	/** Why it is not served. */
	problem: string | undefined;
}

/**
 * Consoles of domains that other toolstacks made: xenconsoled's job, done by the relay. A domain is followed from its
 * introduction to xenstored until it is gone; its ring is served once its toolstack has written down that there is one.
 */
export class OtherConsoles {
	readonly #services: Services;
	readonly #guests: Guests;
	readonly #ledger: ConsoleLedger;
	readonly #domains = new Map<DomId, OtherDomain>();
	readonly #looks = new Mutex();
	readonly #signal: AbortSignal;

	/**
	 * Undefined on a host whose consoles are granted to another domain.
	 * @param signal ends it; what it serves is left to the relay, for the next daemon to find
	 */
	static async open(
		services: Services,
		guests: Guests,
		{ ledgerPath, signal }: { ledgerPath: string; signal: AbortSignal },
	): Promise<OtherConsoles | undefined> {
		if (await consolesBelongHere(services.xenstore))
			return new OtherConsoles(services, guests, await ConsoleLedger.open(ledgerPath), signal);
		services.log.error("Consoles belong to another domain (/tool/xenconsoled/domid): other toolstacks' are not served");
		return undefined;
	}

	private constructor(services: Services, guests: Guests, ledger: ConsoleLedger, signal: AbortSignal) {
		this.#services = services;
		this.#guests = guests;
		this.#ledger = ledger;
		this.#signal = signal;
	}

	/** Follows domains until the signal aborts. */
	async run(): Promise<void> {
		await Promise.all(
			["@introduceDomain", "@releaseDomain"].map(async (event) => {
				for await (const _ of this.#services.xenstore.watch(event, { signal: this.#signal })) await this.#look();
			}),
		);
	}

	/** The relay is there, perhaps a new one that serves nothing. */
	async reattach(): Promise<void> {
		await this.#look();
		await Promise.all([...this.#domains.values()].map((domain) => this.#serve(domain)));
	}

	isFollowed(uuid: Uuid): boolean {
		return [...this.#domains.values()].some((domain) => domain.uuid === uuid);
	}

	/** Those that are served, and those that should be and are not. */
	async describe(): Promise<OtherConsole[]> {
		const { relay, xenstore } = this.#services;
		const attached = relay.connected ? (await relay.list()).consoles : [];
		const shown = [...this.#domains.values()].filter(({ isServed, problem }) => isServed || problem !== undefined);
		return Promise.all(
			shown.map(async ({ domid, uuid, problem }): Promise<OtherConsole> => {
				const found = attached.find((console) => console.guest === uuid && console.domid === domid);
				return {
					domid,
					uuid,
					name: (await xenstore.find(`${domainPath(domid)}/name`)) ?? "",
					label: LABEL,
					...(found ? { ptyPath: found.ptyPath, socketPath: found.socketPath } : {}),
					...(problem === undefined ? {} : { problem }),
				};
			}),
		);
	}

	#look(): Promise<void> {
		return this.#looks.run(async () => {
			const present = this.#othersAmong(await this.#services.hypervisor.domains.list());
			const ended = [...this.#domains.values()].filter(({ domid, uuid }) => present.get(domid)?.uuid !== uuid);
			await Promise.all(ended.map((domain) => this.#end(domain)));
			// Two domains of one uuid (a guest on its way within this host): the next has its turn when the first is gone.
			for (const info of present.values())
				if (!this.#domains.has(info.domid) && !this.isFollowed(info.uuid)) this.#begin(info);
		});
	}

	#othersAmong(infos: readonly DomainInfo[]): Map<DomId, DomainInfo> {
		const records = this.#guests.all().map(({ record }) => record);
		const uuids = new Set(records.flatMap(({ runtime }) => [runtime.guest.uuid, runtime.stub?.uuid]));
		const others = infos.filter(({ domid, uuid, dying }) => domid !== DOM0 && !dying && !uuids.has(uuid));
		return new Map(others.map((info) => [info.domid, info]));
	}

	#begin({ domid, uuid }: DomainInfo): void {
		const stop = new AbortController();
		const domain = { domid, uuid, stop, changes: new Mutex(), isServed: false, problem: undefined };
		this.#domains.set(domid, domain);
		void this.#follow(domain).catch((error: unknown) => {
			if (!(error instanceof CancelledError))
				this.#services.log.error({ domid, error: serializeError(error) }, "Cannot watch a domain's console");
		});
	}

	async #follow(domain: OtherDomain): Promise<void> {
		const signal = AbortSignal.any([domain.stop.signal, this.#signal]);
		const watch = this.#services.xenstore.watch(foreignConsolePath(domain.domid), { signal });
		for await (const _ of watch) await this.#serve(domain);
	}

	/** Safe to repeat: the relay answers for a ring that it serves already. */
	#serve(domain: OtherDomain): Promise<void> {
		const { domid, uuid, stop } = domain;
		const { xenstore, relay, log } = this.#services;
		return domain.changes.run(async () => {
			if (stop.signal.aborted) return;
			try {
				const found = await findForeignConsole(xenstore, domid);
				if (!found) return;
				await this.#makeRoom(uuid);
				const { gref, remotePort } = found;
				const request = { guest: uuid, label: LABEL, domid, index: 0, gref, remotePort, pty: true };
				const { ptyPath } = await relay.attachConsole(request);
				if (ptyPath !== undefined && ptyPath !== found.tty) await publishTty(xenstore, domid, ptyPath);
				domain.isServed = true;
				domain.problem = undefined;
			} catch (error) {
				domain.isServed = false;
				domain.problem = serializeError(error).message;
				log.warn({ domid, guest: uuid, error: serializeError(error) }, "Cannot serve a domain's console");
			}
		});
	}

	async #makeRoom(uuid: Uuid): Promise<void> {
		const given = await this.#ledger.note(uuid, (known) => this.isFollowed(known) || !!this.#guests.find(known));
		for (const old of given) await this.#services.relay.release(old, { purge: true });
	}

	async #end(domain: OtherDomain): Promise<void> {
		domain.stop.abort(new CancelledError(`Domain ${domain.domid} has ended`));
		await domain.changes.run(() => this.#services.relay.release(domain.uuid, { purge: false }));
		this.#domains.delete(domain.domid);
	}
}
