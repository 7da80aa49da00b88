import assert from "node:assert/strict";
import type { ContractRow, OpenContractHost } from "./contract-host.ts";
import { refused } from "./refused.ts";
import { rows } from "./rows.ts";
import { withDomain, withPvGuest } from "./test-domain.ts";

export function settingsContract(open: OpenContractHost): ContractRow[] {
	return rows("settings", open, {
		"a PVH domain is created, and limits of grants are accepted": async (host) => {
			const { domains } = host.hypervisor;
			const limits = { maxGrantFrames: 32, maxMaptrackFrames: 64, grantVersion: 1 } as const;
			await withDomain(host, { type: "pvh", maxVcpus: 2, ...limits, msrRelaxed: true }, async (domid) => {
				assert.equal((await domains.find(domid))?.type, "hvm-or-pvh");
				await domains.setMaxVcpus(domid, 2);
			});
		},
		"alternate page tables and nested virtualization need hardware-assisted paging": async (host) => {
			await refused(() => withDomain(host, { type: "hvm", hap: false, nestedVirt: true }, never));
			await refused(() => withDomain(host, { type: "pv", nestedVirt: true }, never));
		},
		"every TSC mode and time offset is accepted": async (host) => {
			const { domains } = host.hypervisor;
			await withDomain(host, { type: "hvm" }, async (domid) => {
				await domains.setMaxVcpus(domid, 1);
				for (const mode of ["default", "always_emulate", "native"] as const) await domains.setTscMode(domid, mode);
				for (const seconds of [0, 3600, -3600]) await domains.setTimeOffset(domid, seconds);
				await assert.rejects(domains.setTimeOffset(domid, 1.5), TypeError);
				await assert.rejects(domains.setTimeOffset(domid, 2 ** 40), TypeError);
			});
		},
		"CPUID bits may be named, in 32 letters a register": async (host) => {
			const { domains } = host.hypervisor;
			await withDomain(host, { type: "hvm" }, async (domid) => {
				await domains.setMaxVcpus(domid, 1);
				// Leaf 1, ecx bit 31: the bit by which a hypervisor tells of itself.
				await domains.applyCpuPolicy(domid, { leaves: [{ leaf: 1, ecx: `0${"x".repeat(31)}` }] });
				await assert.rejects(domains.applyCpuPolicy(domid, { leaves: [{ leaf: 1, ecx: "0" }] }), TypeError);
				await assert.rejects(domains.applyCpuPolicy(domid, { leaves: [{ leaf: 1, ecx: "y".repeat(32) }] }), TypeError);
			});
		},
		"an HVM domain takes Hyper-V's interfaces, in a known combination": async (host) => {
			const { domains } = host.hypervisor;
			await withDomain(host, { type: "hvm" }, async (domid) => {
				await domains.setMaxVcpus(domid, 1);
				await domains.setHvmParam(domid, "viridian", 0b100101);
			});
			await withDomain(host, { type: "hvm" }, (domid) =>
				refused(() => domains.setHvmParam(domid, "viridian", 2 ** 40), "EINVAL"),
			);
		},
		"ports and device memory are given and taken, but not the ports of Xen's console": async (host) => {
			const { domains } = host.hypervisor;
			await withDomain(host, { type: "pv" }, async (domid) => {
				await domains.permitIoPorts(domid, { first: 0x378, count: 8 }, true);
				await domains.permitIoPorts(domid, { first: 0x378, count: 8 }, false);
				await domains.permitMemory(domid, { first: 0xa0, count: 0x20 }, true);
				await domains.permitMemory(domid, { first: 0xa0, count: 0x20 }, false);
				await refused(() => domains.permitIoPorts(domid, { first: 0x3f8, count: 8 }, true), "EPERM");
				await assert.rejects(domains.permitIoPorts(domid, { first: 0xffff, count: 2 }, true), TypeError);
				await assert.rejects(domains.permitIoPorts(domid, { first: 0, count: 0 }, true), TypeError);
			});
		},
		"a power button reaches an HVM domain, and no PV domain": async (host) => {
			const { domains } = host.hypervisor;
			await withDomain(host, { type: "hvm" }, async (domid) => {
				await domains.setMaxVcpus(domid, 1);
				await domains.sendTrigger(domid, "power");
				await refused(() => domains.sendTrigger(domid, "nmi", 5));
			});
			await withPvGuest(host, {}, ({ domid }) => refused(() => domains.sendTrigger(domid, "power")));
		},
		"a Xen without security labels says so": async ({ hypervisor: { domains } }) => {
			const error = await refused(() => domains.securityId("system_u:system_r:domU_t"), "ENOSYS");
			assert.ok(error.message.includes("system_u:system_r:domU_t"), error.message);
		},
		"debug keys are told on the hypervisor's console": async ({ hypervisor: { domains } }) => {
			await domains.sendDebugKeys("h");
			assert.match(await domains.readConsoleRing(), /'h' pressed/);
		},
	});
}

async function never(): Promise<void> {
	assert.fail("the domain was created");
}
