import { type DomId, InvalidInputError, ProtocolError, printable } from "@bulkhead/base";
import type { RequestOptions } from "../view.ts";
import { type Feature, featureBits, featureNames } from "../wire/features.ts";
import type { Operation } from "../wire/operations.ts";
import { decodeText, encodeStrings } from "../wire/payload.ts";
import type { Connection } from "./connection.ts";

const QUOTA_NAME = /^[a-z][a-z0-9-]{0,63}$/;

/**
 * What xenstored offers and allows (docs/misc/xenstore.txt: GET_FEATURE … SET_QUOTA). Xen 4.20's servers and older ones
 * know none of these requests: every method then fails with XenstoreError `xenstore-unsupported`.
 */
export class ServerSettings {
	readonly #connection: Connection;

	constructor(connection: Connection) {
		this.#connection = connection;
	}

	/** What the server offers us; with a domid, what it offers that domain (domain 0 only). */
	async features(domid?: DomId, options?: RequestOptions): Promise<Set<Feature>> {
		return featureNames(await this.#number("GET_FEATURE", domid === undefined ? [] : [domid], options));
	}

	/** Before the domain is introduced; refused for features that the server lacks. */
	async setFeatures(domid: DomId, features: Iterable<Feature>, options?: RequestOptions): Promise<void> {
		await this.#ask("SET_FEATURE", [domid, featureBits(features)], options);
	}

	/** The quotas that this server has. */
	async quotaNames(options?: RequestOptions): Promise<string[]> {
		const names = decodeText(await this.#ask("GET_QUOTA", [], options));
		return names.split(" ").filter((name) => name !== "");
	}

	/** A domain's quota, or the one of new domains; 0: without limit. */
	async quota(name: string, domid?: DomId, options?: RequestOptions): Promise<number> {
		return this.#number("GET_QUOTA", [...(domid === undefined ? [] : [domid]), quotaName(name)], options);
	}

	/** 0: without limit. Without a domid: of domains to come. @throws InvalidInputError */
	async setQuota(name: string, value: number, domid?: DomId, options?: RequestOptions): Promise<void> {
		if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff)
			throw new InvalidInputError(`Value ${value} is no quota`, { fields: { quota: name } });
		await this.#ask("SET_QUOTA", [...(domid === undefined ? [] : [domid]), quotaName(name), value], options);
	}

	#ask(
		operation: Operation,
		strings: readonly (string | number)[],
		options: RequestOptions | undefined,
	): Promise<Buffer> {
		const reply = this.#connection.request({ operation, payload: encodeStrings(...strings) }, options);
		// oxenstored notices a request without payload only when another one follows.
		if (strings.length === 0)
			this.#connection.request({ operation: "GET_DOMAIN_PATH", payload: encodeStrings(0) }).catch(() => {});
		return reply;
	}

	async #number(
		operation: Operation,
		strings: readonly (string | number)[],
		options: RequestOptions | undefined,
	): Promise<number> {
		const text = decodeText(await this.#ask(operation, strings, options));
		if (!/^\d{1,10}$/.test(text))
			throw new ProtocolError(`Reply to ${operation} is no number: "${printable(text, 40)}"`);
		return Number(text);
	}
}

function quotaName(name: string): string {
	if (QUOTA_NAME.test(name)) return name;
	throw new InvalidInputError(`Text ${JSON.stringify(name.slice(0, 80))} is no name of a quota`);
}
