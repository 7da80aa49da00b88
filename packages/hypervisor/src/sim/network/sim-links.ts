import type { NetworkLink } from "../../ports/network-links.ts";
import { SimFailure } from "../calls/sim-failure.ts";

const DEFAULT_MTU = 1500;

/** The network interfaces of a simulated domain 0: bookkeeping, no frames. */
export class SimLinks {
	readonly #links = new Map<string, NetworkLink>();

	/** Interfaces and what they are ports of, as words. */
	get present(): string[] {
		return [...this.#links].map(([name, { bridge }]) => (bridge === undefined ? name : `${name} in ${bridge}`));
	}

	find(name: string): NetworkLink | undefined {
		const link = this.#links.get(name);
		return link && { ...link };
	}

	/** A driver, or the host's administrator, makes an interface. @returns what takes it away, however it is called by then */
	add(name: string, { isBridge = false }: { isBridge?: boolean } = {}): () => void {
		const link: NetworkLink = { isBridge, bridge: undefined, mtu: DEFAULT_MTU, isUp: false };
		this.#links.set(name, link);
		return () => {
			for (const [known, found] of this.#links) if (found === link) this.remove(known);
		};
	}

	/** Its driver lets go of it: nothing of it is left. */
	remove(name: string): void {
		this.#links.delete(name);
		for (const link of this.#links.values()) if (link.bridge === name) link.bridge = undefined;
	}

	/** @throws SimFailure */
	joinBridge(name: string, bridge: string): void {
		const port = this.#get("SIOCGIFINDEX", name);
		const master = this.#get("SIOCBRADDIF", bridge);
		if (!master.isBridge) throw new SimFailure("SIOCBRADDIF", "EOPNOTSUPP");
		if (port.isBridge) throw new SimFailure("SIOCBRADDIF", "ELOOP");
		if (port.bridge !== undefined && port.bridge !== bridge) throw new SimFailure("SIOCBRADDIF", "EBUSY");
		port.bridge = bridge;
	}

	/** @throws SimFailure */
	setMtu(name: string, mtu: number): void {
		this.#get("SIOCSIFMTU", name).mtu = mtu;
	}

	/** @throws SimFailure */
	bringUp(name: string): void {
		this.#get("SIOCGIFFLAGS", name).isUp = true;
	}

	/** @throws SimFailure */
	rename(name: string, newName: string): void {
		const link = this.#get("SIOCSIFNAME", name);
		if (this.#links.has(newName)) throw new SimFailure("SIOCSIFNAME", "EEXIST");
		this.#links.delete(name);
		this.#links.set(newName, link);
	}

	#get(operation: string, name: string): NetworkLink {
		const link = this.#links.get(name);
		if (!link) throw new SimFailure(operation, "ENODEV");
		return link;
	}
}
