import assert from "node:assert/strict";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { DOM0, domId, randomUuid } from "@bulkhead/base";
import { SHUTDOWN_REASONS } from "../ports/domains.ts";
import type { ContractRow, OpenContractHost } from "./contract-host.ts";
import { refused } from "./refused.ts";
import { rows } from "./rows.ts";
import { withDomain, withPvGuest } from "./test-domain.ts";
import { until } from "./until.ts";

const NOBODY = domId(0x7000);

export function domainsContract(openHost: OpenContractHost): ContractRow[] {
	return rows("domains", openHost, {
		"the control domain is listed and running": async ({ hypervisor: { domains } }) => {
			const dom0 = (await domains.list()).find(({ domid }) => domid === DOM0);
			assert.ok(dom0);
			assert.equal(dom0.paused, false);
			assert.equal(dom0.dying, false);
			assert.ok(dom0.totalKiB > 0 && dom0.cpuTimeNs > 0 && dom0.onlineVcpus > 0);
		},
		"a new PV domain is found and listed, paused, empty, with its uuid": async (host) => {
			const { domains } = host.hypervisor;
			const uuid = randomUuid();
			await withDomain(host, { uuid, type: "pv" }, async (domid) => {
				const found = await domains.find(domid);
				assert.ok(found);
				assert.equal(found.uuid, uuid);
				assert.equal(found.type, "pv");
				assert.equal(found.paused, true);
				assert.equal(found.shutdown, false);
				assert.equal(found.dying, false);
				assert.equal(found.totalKiB, 0);
				assert.deepEqual(
					(await domains.list()).filter((domain) => domain.uuid === uuid).map((domain) => domain.domid),
					[domid],
				);
			});
		},
		"a domain can be given another uuid": async (host) => {
			const { domains } = host.hypervisor;
			await withDomain(host, { type: "pv" }, async (domid) => {
				const uuid = randomUuid();
				await domains.setHandle(domid, uuid);
				assert.equal((await domains.find(domid))?.uuid, uuid);
			});
		},
		"a new HVM domain tells its type": async (host) => {
			await withDomain(host, { type: "hvm" }, async (domid) => {
				assert.equal((await host.hypervisor.domains.find(domid))?.type, "hvm-or-pvh");
			});
		},
		"domains get distinct numbers": async (host) => {
			await withDomain(host, {}, (first) =>
				withDomain(host, {}, async (second) => {
					assert.notEqual(first, second);
					assert.notEqual(first, DOM0);
				}),
			);
		},
		"a number without a domain is not found": async ({ hypervisor: { domains } }) => {
			assert.equal(await domains.find(NOBODY), undefined);
		},
		"a domain that is not there has no core": async (host) => {
			// Of one that is there: lab/test/xen/end-actions.test.ts. PV guests need a table of frames for it, and with others
			// libxenctrl tries each frame below 4 GiB, which takes minutes under emulation.
			const file = await open(join(host.scratchDir, "core"), "w+", 0o600);
			try {
				await refused(() => host.hypervisor.domains.dumpCore(NOBODY, file.fd));
			} finally {
				await file.close();
			}
		},
		"destroy leaves nothing and may be repeated": async (host) => {
			const { domains } = host.hypervisor;
			const domid = await withDomain(host, {}, async (id) => id);
			assert.equal(await domains.find(domid), undefined);
			assert.ok(!(await domains.list()).some((domain) => domain.domid === domid));
			await domains.destroy(domid);
			await domains.destroy(NOBODY);
		},
		"an argument out of range is refused before Xen sees it": async ({ hypervisor: { domains } }) => {
			const before = (await domains.list()).length;
			await assert.rejects(domains.create({ uuid: randomUuid(), type: "pv", maxVcpus: 0 }));
			await assert.rejects(domains.create({ uuid: randomUuid(), type: "pv", maxVcpus: 1.5 }));
			await assert.rejects(domains.create({ uuid: randomUuid(), type: "pv", maxVcpus: 1, maxEvtchnPort: -1 }));
			await assert.rejects(domains.setMaxMemory(DOM0, Number.NaN));
			await assert.rejects(domains.pause(-1 as typeof DOM0));
			await assert.rejects(domains.pause("0" as unknown as typeof DOM0));
			assert.equal((await domains.list()).length, before);
		},
		"pauses are counted: as many unpauses let it run, one more is refused": async (host) => {
			const { domains } = host.hypervisor;
			await withPvGuest(host, { behaviour: "idle" }, async ({ domid }) => {
				await domains.pause(domid);
				await domains.unpause(domid);
				assert.equal((await domains.find(domid))?.paused, true);
				await domains.unpause(domid);
				assert.equal((await domains.find(domid))?.paused, false);
				await until("the guest blocks", async () => (await domains.find(domid))?.blocked === true);
				await refused(() => domains.unpause(domid), "EINVAL");
				await domains.pause(domid);
				assert.equal((await domains.find(domid))?.paused, true);
			});
		},
		"the memory limit is what was set": async (host) => {
			const { domains } = host.hypervisor;
			await withDomain(host, {}, async (domid) => {
				await domains.setMaxMemory(domid, 65_536 + 1024);
				assert.equal((await domains.find(domid))?.maxKiB, 65_536 + 1024);
				await domains.setMaxMemory(domid, 8192);
				assert.equal((await domains.find(domid))?.maxKiB, 8192);
			});
		},
		"virtual CPUs come by setMaxVcpus, in the number given at creation": async (host) => {
			const { domains } = host.hypervisor;
			await withDomain(host, { maxVcpus: 2 }, async (domid) => {
				await refused(() => domains.setMaxVcpus(domid, 3), "EINVAL");
				await domains.setMaxVcpus(domid, 2);
				assert.equal((await domains.find(domid))?.maxVcpuId, 1);
			});
		},
		"HVM settings are accepted in the toolstack's order": async (host) => {
			const { domains } = host.hypervisor;
			await withDomain(host, { type: "hvm" }, async (domid) => {
				await domains.setMaxVcpus(domid, 1);
				await domains.setMaxMemory(domid, 32 * 1024 + 1024);
				await domains.setHvmParam(domid, "hpetEnabled", 1);
				await domains.setHvmParam(domid, "vptAlign", 1);
				await domains.setHvmParam(domid, "timerMode", 1);
				await domains.setTscMode(domid, "default");
				await domains.setPagingMempool(domid, 4096 * (256 + 2 * 32));
				await domains.applyCpuPolicy(domid);
			});
		},
		"an HVM parameter out of its range is refused, and any for a PV domain": async (host) => {
			const { domains } = host.hypervisor;
			await withDomain(host, { type: "hvm" }, (domid) =>
				refused(() => domains.setHvmParam(domid, "timerMode", 99), "EINVAL"),
			);
			await withDomain(host, { type: "pv" }, (domid) =>
				refused(() => domains.setHvmParam(domid, "timerMode", 1), "EINVAL"),
			);
		},
		"calls on a domain that does not exist say ESRCH and name it": async ({ hypervisor: { domains } }) => {
			for (const call of [
				() => domains.pause(NOBODY),
				() => domains.unpause(NOBODY),
				() => domains.setMaxMemory(NOBODY, 1024),
				() => domains.setTscMode(NOBODY, "native"),
				() => domains.setTarget(NOBODY, DOM0),
				() => domains.allocUnboundEvtchn(NOBODY, DOM0),
			]) {
				const error = await refused(call, "ESRCH");
				assert.ok(error.message.includes(`domain ${NOBODY}`), error.message);
				assert.equal(error.fields.domid, NOBODY);
				assert.ok(error.remedy);
			}
		},
		"a domain shut down from outside tells the reason": async (host) => {
			const { domains } = host.hypervisor;
			for (const reason of SHUTDOWN_REASONS)
				await withDomain(host, {}, async (domid) => {
					await domains.setMaxVcpus(domid, 1);
					await domains.shutdown(domid, reason);
					const found = await domains.find(domid);
					assert.equal(found?.shutdown, true);
					assert.equal(found?.shutdownReason, reason);
				});
		},
		"unbound event channels get ports of their own": async (host) => {
			const { domains } = host.hypervisor;
			await withDomain(host, {}, async (domid) => {
				const first = await domains.allocUnboundEvtchn(domid, DOM0);
				const second = await domains.allocUnboundEvtchn(domid, DOM0);
				assert.ok(first > 0 && second > 0 && first !== second);
			});
		},
		"a domain runs out of event channels at its limit": async (host) => {
			const { domains } = host.hypervisor;
			await withDomain(host, { maxEvtchnPort: 3 }, async (domid) => {
				for (let port = 1; port <= 3; port++) await domains.allocUnboundEvtchn(domid, DOM0);
				await refused(() => domains.allocUnboundEvtchn(domid, DOM0), "ENOSPC");
			});
		},
		"a stub domain gets its target, and a missing target is refused": async (host) => {
			const { domains } = host.hypervisor;
			await withDomain(host, { type: "hvm" }, (guest) =>
				withDomain(host, { type: "pv" }, async (stub) => {
					await refused(() => domains.setTarget(stub, NOBODY), "ESRCH");
					await domains.setTarget(stub, guest);
				}),
			);
		},
		"the host tells its version, memory and processors": async ({ hypervisor: { domains } }) => {
			const host = await domains.hostInfo();
			assert.match(host.xenVersion, /^\d+\.\d+/);
			assert.ok(host.capabilities.includes("xen-3.0-x86_64"), host.capabilities.join(" "));
			assert.ok(host.totalKiB > host.freeKiB && host.freeKiB > 0);
			assert.ok(host.nrCpus > 0 && host.cpuKHz > 0);
			assert.equal(host.hvm, true);
			assert.equal(host.hap, true);
			assert.equal(typeof host.commandLine, "string");
			assert.ok(host.compiler.length > 0);
		},
		"the hypervisor's console can be read again and again": async ({ hypervisor: { domains } }) => {
			const first = await domains.readConsoleRing();
			assert.ok(first.length > 0);
			const second = await domains.readConsoleRing();
			// Nothing was consumed; lines may have been added meanwhile, and the oldest pushed out by them.
			assert.ok(second.includes(first.slice(first.length >> 1)), "the second reading lacks what the first had");
		},
	});
}
