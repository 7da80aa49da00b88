import assert from "node:assert/strict";
import { DOM0, domId } from "@bulkhead/base";
import type { ContractRow, OpenContractHost } from "./contract-host.ts";
import { refused } from "./refused.ts";
import { rows } from "./rows.ts";
import { withDomain, withPvGuest } from "./test-domain.ts";

const NOBODY = domId(0x7000);

export function cpusContract(open: OpenContractHost): ContractRow[] {
	return rows("cpus", open, {
		"the processors are told, ascending, and pool 0 has them": async ({ hypervisor: { cpus, domains } }) => {
			const places = await cpus.topology();
			assert.ok(places.length > 1, "the rows need two processors");
			assert.deepEqual(
				places.map(({ cpu }) => cpu),
				places.map((_, index) => index),
			);
			assert.equal(places.length, (await domains.hostInfo()).nrCpus);
			const [first] = await cpus.pools();
			assert.equal(first?.id, 0);
			assert.deepEqual(
				first.cpus,
				places.map(({ cpu }) => cpu),
			);
			assert.ok(first.domains >= 1);
			assert.notEqual(first.scheduler, "unknown");
		},
		"a vcpu tells its state; one that is not there is refused": async (host) => {
			const { cpus } = host.hypervisor;
			const vcpu = await cpus.vcpu(DOM0, 0);
			assert.equal(vcpu.vcpu, 0);
			assert.equal(vcpu.online, true);
			assert.ok(vcpu.cpuTimeNs > 0);
			await withPvGuest(host, {}, async ({ domid }) => {
				assert.equal((await cpus.vcpu(domid, 0)).cpuTimeNs, 0);
				await refused(() => cpus.vcpu(domid, 1));
			});
		},
		"a vcpu runs where it is pinned; what is not named stays": async (host) => {
			const { cpus, domains } = host.hypervisor;
			await withDomain(host, { maxVcpus: 2 }, async (domid) => {
				await domains.setMaxVcpus(domid, 2);
				const all = (await cpus.topology()).map(({ cpu }) => cpu);
				assert.ok(all.every((cpu) => cpu in all));
				await cpus.setAffinity(domid, 1, { hard: [1] });
				assert.deepEqual((await cpus.affinity(domid, 1)).hard, [1]);
				await cpus.setAffinity(domid, 1, { soft: [0] });
				assert.deepEqual((await cpus.affinity(domid, 1)).hard, [1]);
				assert.deepEqual((await cpus.affinity(domid, 1)).soft, [0]);
				assert.ok((await cpus.affinity(domid, 0)).hard.length > 1);
				await refused(() => cpus.setAffinity(domid, 0, { hard: [4095] }), "EINVAL");
				await assert.rejects(cpus.setAffinity(domid, 0, { hard: [] }), TypeError);
				await refused(() => cpus.setAffinity(domid, 7, { hard: [0] }), "EINVAL");
			});
		},
		"the node affinity is what was set": async (host) => {
			const { cpus } = host.hypervisor;
			await withDomain(host, {}, async (domid) => {
				await cpus.setNodeAffinity(domid, [0]);
				assert.deepEqual(await cpus.nodeAffinity(domid), [0]);
				await refused(() => cpus.setNodeAffinity(domid, [200]), "EINVAL");
			});
		},
		"weight and cap are what was set, for the pool's scheduler only, the cap within the vcpus": async (host) => {
			const { cpus, domains } = host.hypervisor;
			await withDomain(host, {}, async (domid) => {
				await domains.setMaxVcpus(domid, 1);
				const before = await cpus.scheduling(domid);
				assert.ok(before.scheduler === "credit" || before.scheduler === "credit2", before.scheduler);
				assert.equal(before.weight, 256);
				await cpus.setScheduling(domid, { ...before, weight: 512, cap: 40 });
				assert.deepEqual(await cpus.scheduling(domid), { ...before, weight: 512, cap: 40 });
				await refused(() => cpus.setScheduling(domid, { ...before, cap: 101 }), "EINVAL");
				const other = before.scheduler === "credit" ? "credit2" : "credit";
				await refused(() => cpus.setScheduling(domid, { scheduler: other, weight: 256, cap: 0 }), "EINVAL");
				await assert.rejects(cpus.setScheduling(domid, { ...before, weight: 0 }), TypeError);
				await assert.rejects(cpus.setScheduling(domid, { ...before, weight: 0x1_0000 }), TypeError);
			});
		},
		"a cpupool comes, takes a processor and a domain, and goes": async (host) => {
			const { cpus, domains } = host.hypervisor;
			const before = await cpus.pools();
			const spare = before[0]?.cpus.at(-1) ?? 0;
			const pool = await cpus.createPool("credit");
			try {
				assert.ok(pool > 0);
				await refused(() => cpus.addCpu(pool, spare), "ENODEV");
				await cpus.removeCpu(0, spare);
				await cpus.addCpu(pool, spare);
				await withDomain(host, { cpupool: pool }, async (domid) => {
					assert.equal((await domains.find(domid))?.cpupool, pool);
					assert.equal((await cpus.scheduling(domid)).scheduler, "credit");
					const found = (await cpus.pools()).find(({ id }) => id === pool);
					assert.deepEqual(found, { id: pool, scheduler: "credit", domains: 1, cpus: [spare] });
					await refused(() => cpus.destroyPool(pool), "EBUSY");
					await cpus.moveDomain(domid, 0);
					assert.equal((await domains.find(domid))?.cpupool, 0);
					await cpus.moveDomain(domid, pool);
					assert.equal((await domains.find(domid))?.cpupool, pool);
				});
				await cpus.removeCpu(pool, spare);
			} finally {
				await cpus.removeCpu(pool, spare).catch(() => {});
				await cpus.destroyPool(pool);
				await cpus.addCpu(0, spare).catch(() => {});
			}
			assert.deepEqual(await cpus.pools(), before);
		},
		"calls on a domain or pool that does not exist say so": async ({ hypervisor: { cpus } }) => {
			for (const call of [
				() => cpus.vcpu(NOBODY, 0),
				() => cpus.affinity(NOBODY, 0),
				() => cpus.setAffinity(NOBODY, 0, { hard: [0] }),
				() => cpus.scheduling(NOBODY),
				() => cpus.setScheduling(NOBODY, { scheduler: "credit2", weight: 256, cap: 0 }),
				() => cpus.moveDomain(NOBODY, 0),
			]) {
				const error = await refused(call);
				assert.ok(error.message.includes(`domain ${NOBODY}`), error.message);
			}
			await refused(() => cpus.destroyPool(77), "ENOENT");
		},
	});
}
