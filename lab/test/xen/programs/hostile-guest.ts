import type { RelayClient } from "@bulkhead/api/relay";
import { grantRef, randomUuid, type Uuid } from "@bulkhead/base";
import { CONSOLE_PAGE as PAGE } from "@bulkhead/console";
import type { Domains, MappedFrames } from "@bulkhead/hypervisor";
import { type BuiltDomain, nativeContractHost, withPvGuest } from "@bulkhead/hypervisor/contract";

type Counter = "inputConsumed" | "inputProduced" | "outputConsumed" | "outputProduced";

const REQUEST = { timeoutMs: 20_000 };

/**
 * A guest whose kernel does nothing but raise events, as fast as it can, while this program writes into its console page
 * whatever a hostile one would. The relay serves it.
 */
export class HostileGuest {
	readonly uuid: Uuid = randomUuid();
	readonly #page: MappedFrames;
	readonly #built: BuiltDomain;
	readonly #relay: RelayClient;

	readonly #domains: Domains;

	constructor(built: BuiltDomain, page: MappedFrames, relay: RelayClient, domains: Domains) {
		this.#domains = domains;
		this.#built = built;
		this.#page = page;
		this.#relay = relay;
	}

	/** Takes the domain away, whoever has mapped its pages; it stays until they let go. */
	async destroy(): Promise<{ isDying: boolean }> {
		const { domid } = this.#built;
		await this.#domains.destroy(domid);
		return { isDying: (await this.#domains.find(domid))?.dying === true };
	}

	async attach(): Promise<void> {
		const { domid, consolePort } = this.#built;
		const ring = { domid, index: 0, gref: grantRef(0), remotePort: consolePort, pty: false };
		await this.#relay.request("attach-console", { guest: this.uuid, label: "pv", ...ring }, REQUEST);
	}

	/** What the relay says of it; undefined once it has given the ring up. */
	async served(): Promise<{ outputBytes: number } | undefined> {
		const { consoles } = await this.#relay.request("list", { guest: this.uuid }, REQUEST);
		return consoles[0];
	}

	set(counter: Counter, value: number): void {
		Atomics.store(new Uint32Array(this.#page.buffer), PAGE[counter], value >>> 0);
	}

	get(counter: Counter): number {
		return Atomics.load(new Uint32Array(this.#page.buffer), PAGE[counter]);
	}

	/** Other bytes in the output ring. */
	scribble(value: number): void {
		new Uint8Array(this.#page.buffer).fill(value, PAGE.outputOffset, PAGE.outputOffset + PAGE.outputBytes);
	}
}

/** Several of them, that run; everything of them is gone afterwards, on every path. */
export async function withHostileGuests<T>(
	relay: RelayClient,
	count: number,
	use: (guests: HostileGuest[]) => Promise<T>,
): Promise<T> {
	const host = await nativeContractHost({ hvmloader: "", bios: "" })();
	const nest = (made: HostileGuest[]): Promise<T> => {
		if (made.length === count) return use(made);
		return withPvGuest(host, { behaviour: "flood" }, async (built) => {
			const page = host.hypervisor.foreignMemory.map(built.domid, [built.consoleFrame], { writable: true });
			const guest = new HostileGuest(built, page, relay, host.hypervisor.domains);
			try {
				await guest.attach();
				await host.hypervisor.domains.unpause(built.domid);
				return await nest([...made, guest]);
			} finally {
				page.unmap();
				await relay.request("forget-guest", { guest: guest.uuid }, REQUEST);
			}
		});
	};
	try {
		return await nest([]);
	} finally {
		await host.close();
	}
}
