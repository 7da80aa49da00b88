import { type BulkheadError, InvalidInputError, Mutex, randomUuid, type Uuid } from "@bulkhead/base";
import { type CreateStep, checkHost, domainPath, planCreate, stepsOf } from "@bulkhead/toolstack";
import { type GuestConfig, guestNameProblem } from "@bulkhead/xlcfg";
import type { Services } from "../services.ts";
import { type BuildOptions, buildGuest, type RemoveOptions, removeGuest } from "./build-guest.ts";
import { Guest } from "./guest.ts";

/** No guest goes by that name, domid or uuid. */
export class NoSuchGuestError extends InvalidInputError {
	constructor(reference: string) {
		super(
			`There is no guest ${JSON.stringify(reference)}`,
			{ remedy: "See `bulkhead list` for the guests that there are", fields: { reference } },
			"no-such-guest",
		);
	}
}

/** Every guest that this daemon is responsible for, by uuid. */
export class Guests {
	readonly #services: Services;
	readonly #guests = new Map<Uuid, Guest>();
	/** Held while a name is looked up and taken. */
	readonly #naming = new Mutex();

	constructor(services: Services) {
		this.#services = services;
	}

	all(): Guest[] {
		return [...this.#guests.values()];
	}

	find(id: Uuid): Guest | undefined {
		return this.#guests.get(id);
	}

	/** By uuid, domid or name. @throws NoSuchGuestError */
	get(reference: string): Guest {
		const found = this.all().find(
			({ uuid, name, record }) =>
				uuid === reference || name === reference || `${record.runtime.guest.domid}` === reference,
		);
		if (!found) throw new NoSuchGuestError(reference);
		return found;
	}

	/** Takes responsibility for a guest from an earlier daemon's record. */
	adopt(guest: Guest): void {
		this.#guests.set(guest.uuid, guest);
	}

	/** @throws InvalidInputError `name-in-use`, `uuid-in-use`; what buildGuest throws */
	async create(config: GuestConfig, options: BuildOptions): Promise<Guest> {
		const guest = await this.#naming.run(async () => {
			await this.#checkName(config.name);
			if (this.#guests.has(config.uuid))
				throw new InvalidInputError(
					`A guest with uuid ${config.uuid} exists`,
					{ remedy: "Leave uuid out of the config" },
					"uuid-in-use",
				);
			const planned = Guest.planned(config);
			this.#guests.set(planned.uuid, planned);
			return planned;
		});
		return guest.operations.run(async () => {
			try {
				await buildGuest(guest, this.#services, options);
			} catch (error) {
				if (guest.isGone || guest.record.phase === "creating") this.#guests.delete(guest.uuid);
				throw error;
			}
			this.#services.events.emit("guest-state", {
				guest: guest.identity,
				state: options.paused ? "paused" : "running",
			});
			return guest;
		});
	}

	/** What a create would do, step by step, after all its checks; touches nothing. */
	async planFor(config: GuestConfig, { paused }: { paused: boolean }): Promise<CreateStep[]> {
		const { hypervisor, xenstore, installed, screenPolicy } = this.#services;
		await this.#checkName(config.name);
		const stubUuid = randomUuid();
		const facts = await checkHost(config, { hypervisor, xenstore, installed, screenPolicy, stubUuid });
		return stepsOf(planCreate(config, facts, { paused }));
	}

	/** Destroys a guest and forgets it. The caller holds its `operations`. */
	async remove(guest: Guest, reason: string, options: Omit<RemoveOptions, "purge"> = {}): Promise<void> {
		const identity = guest.identity;
		await removeGuest(guest, this.#services, { ...options, purge: true });
		this.#guests.delete(guest.uuid);
		this.#services.events.emit("guest-ended", { guest: identity, reason });
	}

	/** Renames the guest and its stub domain. @throws InvalidInputError `name-in-use` */
	async rename(guest: Guest, name: string): Promise<void> {
		const { xenstore, store } = this.#services;
		await this.#naming.run(async () => {
			if (name === guest.name) return;
			const problem = guestNameProblem(name);
			if (problem) throw new InvalidInputError(problem, { remedy: "Choose another name", fields: { name } });
			await this.#checkName(name);
			const { runtime } = guest.record;
			await xenstore.transaction(async (tx) => {
				for (const [domain, called] of [
					[runtime.guest, name],
					[runtime.stub, `${name}-dm`],
				] as const) {
					if (domain?.domid === undefined) continue;
					await tx.write(`${domainPath(domain.domid)}/name`, called);
					await tx.write(`/vm/${domain.uuid}/name`, called);
				}
			});
			guest.record.config = { ...guest.record.config, name };
			await store.save(guest.record);
		});
	}

	/** Names are unique on the host, other toolstacks' domains included. */
	async #checkName(name: string): Promise<void> {
		const taken = (holder: string): BulkheadError =>
			new InvalidInputError(
				`The name ${JSON.stringify(name)} is taken by ${holder}`,
				{ remedy: "Choose another name, or destroy that guest first", fields: { name } },
				"name-in-use",
			);
		if (this.all().some((guest) => guest.name === name || `${guest.name}-dm` === name)) throw taken("another guest");
		const { xenstore } = this.#services;
		const domids = (await xenstore.findList("/local/domain")) ?? [];
		const names = await Promise.all(domids.map((domid) => xenstore.find(`/local/domain/${domid}/name`)));
		const holder = names.findIndex((found) => found === name || found === `${name}-dm`);
		if (holder >= 0) throw taken(`domain ${domids[holder]}`);
	}
}
