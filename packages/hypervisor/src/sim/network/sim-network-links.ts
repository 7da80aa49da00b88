import { InvalidInputError } from "@bulkhead/base";
import { linkNameProblem, type NetworkLink, type NetworkLinks } from "../../ports/network-links.ts";
import { checkInteger } from "../calls/check-arguments.ts";
import type { CallFacts } from "../calls/sim-calls.ts";
import type { ProcessParts } from "../sim-process.ts";

/** One process's way to the host's interfaces. It holds nothing: interfaces are their drivers'. */
export class SimNetworkLinks implements NetworkLinks {
	readonly #parts: ProcessParts;

	constructor(parts: ProcessParts) {
		this.#parts = parts;
	}

	find(name: string): Promise<NetworkLink | undefined> {
		return this.#run("find", `Could not look at interface ${name}`, [name], () => this.#parts.host.links.find(name));
	}

	joinBridge(name: string, bridge: string): Promise<void> {
		const attempt = `Could not join interface ${name} to bridge ${bridge}`;
		return this.#run("joinBridge", attempt, [name, bridge], () => this.#parts.host.links.joinBridge(name, bridge));
	}

	async setMtu(name: string, mtu: number): Promise<void> {
		checkInteger("mtu", mtu, 68, 65_535);
		const attempt = `Could not set the MTU of interface ${name} to ${mtu}`;
		return this.#run("setMtu", attempt, [name], () => this.#parts.host.links.setMtu(name, mtu));
	}

	bringUp(name: string): Promise<void> {
		return this.#run("bringUp", `Could not bring interface ${name} up`, [name], () =>
			this.#parts.host.links.bringUp(name),
		);
	}

	rename(name: string, newName: string): Promise<void> {
		const attempt = `Could not rename interface ${name} to ${newName}`;
		return this.#run("rename", attempt, [name, newName], () => this.#parts.host.links.rename(name, newName));
	}

	async #run<T>(call: string, attempt: string, names: readonly string[], act: () => T): Promise<T> {
		for (const name of names) {
			const problem = linkNameProblem(name);
			if (problem !== undefined)
				throw new InvalidInputError(`The interface name ${JSON.stringify(name.slice(0, 64))} ${problem}`);
		}
		const facts: CallFacts = { name: `links.${call}`, attempt, fields: { name: names[0] } };
		return this.#parts.calls.run(facts, act);
	}
}
