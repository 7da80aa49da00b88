import assert from "node:assert/strict";
import { domId } from "@bulkhead/base";
import type { ContractRow, OpenContractHost } from "./contract-host.ts";
import { refused } from "./refused.ts";
import { rows } from "./rows.ts";
import { withDomain } from "./test-domain.ts";

/** A PCI device that any PC has: the host bridge, 0000:00:00.0. */
const BRIDGE = 0;
const NO_DOMAIN = domId(0x7000);

/** What a host without IOMMU answers; the lab's is one. */
export function pciContract(open: OpenContractHost): ContractRow[] {
	return rows("pci", open, {
		"a host without IOMMU says so, and gives no device away": async (host) => {
			const { domains, pci } = host.hypervisor;
			assert.equal((await domains.hostInfo()).iommu, false);
			await withDomain(host, { type: "pv" }, async (domid) => {
				await refused(() => pci.test(domid, BRIDGE), "EOPNOTSUPP");
				await refused(() => pci.assign(domid, BRIDGE, { relaxed: true }), "EOPNOTSUPP");
				await refused(() => pci.deassign(domid, BRIDGE), "EOPNOTSUPP");
			});
			await refused(() => pci.quarantine(BRIDGE), "EOPNOTSUPP");
			await refused(() => pci.release(BRIDGE), "EOPNOTSUPP");
			await refused(() => pci.assign(NO_DOMAIN, BRIDGE, { relaxed: false }), "ESRCH");
			await assert.rejects(pci.quarantine(2 ** 32), TypeError);
		},
		"the host's memory map can be read, and a domain be given one": async (host) => {
			const { domains } = host.hypervisor;
			const regions = await domains.hostMemoryMap();
			assert.ok(regions.some(({ type, size }) => type === "ram" && size > 0));
			await withDomain(host, { type: "pv" }, async (domid) => {
				await domains.setMemoryMap(domid, regions.slice(0, 4));
				await assert.rejects(domains.setMemoryMap(domid, []), TypeError);
				await assert.rejects(domains.setMemoryMap(domid, [{ start: -1, size: 1, type: "ram" }]), TypeError);
			});
			await refused(() => domains.setMemoryMap(NO_DOMAIN, regions.slice(0, 1)), "ESRCH");
		},
	});
}
