import assert from "node:assert/strict";
import { InvalidInputError } from "@bulkhead/base";
import type { ContractHost, ContractRow, OpenContractHost } from "./contract-host.ts";
import { refused } from "./refused.ts";
import { rows } from "./rows.ts";

const BRIDGE = "bhc-bridge";
const OTHER = "bhc-other";
const PORT = "bhc-port";

export function linksContract(open: OpenContractHost): ContractRow[] {
	return rows("links", open, {
		"an interface is found as it is, and one that is not there is not": async (host) => {
			await withLinks(host, async () => {
				const { links } = host.hypervisor;
				assert.deepEqual(await links.find(PORT), { isBridge: false, bridge: undefined, mtu: 1500, isUp: false });
				assert.equal((await links.find(BRIDGE))?.isBridge, true);
				assert.equal(await links.find("bhc-nowhere"), undefined);
			});
		},
		"an interface joins a bridge, once and again": async (host) => {
			await withLinks(host, async () => {
				const { links } = host.hypervisor;
				await links.joinBridge(PORT, BRIDGE);
				await links.joinBridge(PORT, BRIDGE);
				assert.equal((await links.find(PORT))?.bridge, BRIDGE);
			});
		},
		"a port of one bridge is not taken by another": async (host) => {
			await withLinks(host, async () => {
				const { links } = host.hypervisor;
				await links.joinBridge(PORT, BRIDGE);
				await refused(() => links.joinBridge(PORT, OTHER), "EBUSY");
				assert.equal((await links.find(PORT))?.bridge, BRIDGE);
			});
		},
		"only a bridge has ports, and only what is there can become one": async (host) => {
			await withLinks(host, async () => {
				const { links } = host.hypervisor;
				await refused(() => links.joinBridge(PORT, "bhc-nowhere"), "ENODEV");
				await refused(() => links.joinBridge("bhc-nowhere", BRIDGE), "ENODEV");
				await refused(() => links.joinBridge(BRIDGE, OTHER), "ELOOP");
				await refused(() => links.joinBridge(BRIDGE, PORT), "EOPNOTSUPP");
			});
		},
		"an interface is given an MTU and brought up": async (host) => {
			await withLinks(host, async () => {
				const { links } = host.hypervisor;
				await links.setMtu(PORT, 1400);
				await links.bringUp(PORT);
				await links.bringUp(PORT);
				const { mtu, isUp } = (await links.find(PORT)) ?? {};
				assert.deepEqual({ mtu, isUp }, { mtu: 1400, isUp: true });
				await assert.rejects(async () => links.setMtu(PORT, 67), TypeError);
				await refused(() => links.bringUp("bhc-nowhere"), "ENODEV");
			});
		},
		"an interface is renamed, but not to what another is called": async (host) => {
			await withLinks(host, async () => {
				const { links } = host.hypervisor;
				await refused(() => links.rename(PORT, OTHER), "EEXIST");
				await links.rename(PORT, "bhc-renamed");
				assert.equal(await links.find(PORT), undefined);
				assert.ok(await links.find("bhc-renamed"));
				await links.rename("bhc-renamed", PORT);
			});
		},
		"names that lead elsewhere are refused before anything is asked": async (host) => {
			const { links } = host.hypervisor;
			for (const name of ["", ".", "..", "a/b", "sixteen-letters-", "a b", "vif%d", "a:1", "vif\0"]) {
				await assert.rejects(async () => links.find(name), InvalidInputError);
				await assert.rejects(async () => links.joinBridge(name, BRIDGE), InvalidInputError);
				await assert.rejects(async () => links.rename(PORT, name), InvalidInputError);
			}
		},
	});
}

/** Two bridges and a port. They are gone afterwards, and anything that was renamed is found by its first name. */
async function withLinks(host: ContractHost, use: () => Promise<void>): Promise<void> {
	const made: (() => Promise<void>)[] = [];
	try {
		for (const [name, kind] of [
			[BRIDGE, "bridge"],
			[OTHER, "bridge"],
			[PORT, "port"],
		] as const)
			made.push(await host.addLink(name, kind));
		await use();
	} finally {
		for (const remove of made.reverse()) await remove();
	}
}
