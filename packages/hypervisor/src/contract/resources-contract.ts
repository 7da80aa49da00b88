import assert from "node:assert/strict";
import { closeSync } from "node:fs";
import { DOM0, grantRef } from "@bulkhead/base";
import type { ContractHost, ContractRow, OpenContractHost } from "./contract-host.ts";
import { refused } from "./refused.ts";
import { rows } from "./rows.ts";
import { withPvGuest } from "./test-domain.ts";
import { until } from "./until.ts";

const ROUNDS = 200;

export function resourcesContract(open: OpenContractHost): ContractRow[] {
	return rows("resources", open, {
		"200 mappings of each kind leave no handle behind": async (host) => {
			await withPvGuest(host, {}, async ({ domid, consoleFrame }) => {
				await leavesNothing(host, async () => {
					const granted = host.rings.grants.map(domid, [grantRef(0)]);
					const foreign = host.hypervisor.foreignMemory.map(domid, [consoleFrame]);
					granted.unmap();
					foreign.unmap();
				});
			});
		},
		"200 event channels bound and closed leave no handle behind": async (host) => {
			await leavesNothing(host, async () => {
				const near = host.rings.evtchns.bindUnbound(DOM0, () => {});
				const far = host.rings.evtchns.bindInterdomain(DOM0, near.port, () => {});
				far.close();
				near.close();
			});
		},
		"200 ptys watched and closed leave no handle behind": async (host) => {
			const { devices } = host.rings;
			if (!host.abilities.deviceNodes) return leavesNothing(host, () => refused(() => devices.openPty(), "ENOSYS"));
			await leavesNothing(host, async () => {
				const { masterFd } = devices.openPty();
				const poll = devices.pollLoop(masterFd, () => {});
				poll.watch({ readable: true });
				poll.close();
				closeSync(masterFd);
			});
		},
		"200 hypercalls at once, again and again, keep a few handles at most": async (host) => {
			const { domains } = host.hypervisor;
			const before = host.countHandles();
			for (let turn = 0; turn < 3; turn++) {
				await Promise.all(Array.from({ length: ROUNDS }, () => domains.find(DOM0)));
				// The engine may keep a few for reuse.
				const more = host.countHandles() - before;
				assert.ok(more < ROUNDS / 4, `${more} more handles`);
			}
		},
	});
}

async function leavesNothing(host: ContractHost, round: () => Promise<unknown>): Promise<void> {
	// What is opened once, on first use, is no leak.
	await round();
	const before = host.countHandles();
	for (let i = 0; i < ROUNDS; i++) await round();
	await until(
		`the count of handles is back to ${before} (now ${host.countHandles()})`,
		() => host.countHandles() <= before,
		5000,
	);
}
