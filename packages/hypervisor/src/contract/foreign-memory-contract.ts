import assert from "node:assert/strict";
import { domId } from "@bulkhead/base";
import type { ContractRow, OpenContractHost } from "./contract-host.ts";
import { refused } from "./refused.ts";
import { rows } from "./rows.ts";
import { withPvGuest } from "./test-domain.ts";

export function foreignMemoryContract(open: OpenContractHost): ContractRow[] {
	return rows("foreign memory", open, {
		"unmap detaches every view and may be repeated": async (host) => {
			await withPvGuest(host, {}, async ({ domid, consoleFrame }) => {
				const mapped = host.hypervisor.foreignMemory.map(domid, [consoleFrame]);
				const bytes = new Uint8Array(mapped.buffer);
				assert.equal(bytes.length, 4096);
				mapped.unmap();
				mapped.unmap();
				assert.equal(mapped.buffer.byteLength, 0);
				assert.equal(bytes.length, 0);
			});
		},
		"one frame that cannot be mapped refuses the whole mapping": async (host) => {
			await withPvGuest(host, {}, async ({ domid, consoleFrame }) => {
				const { foreignMemory } = host.hypervisor;
				await refused(() => foreignMemory.map(domid, [consoleFrame, 0xff_ffff_ffff]));
				await refused(() => foreignMemory.map(domId(0x7000), [consoleFrame]));
				assert.throws(() => foreignMemory.map(domid, []), TypeError);
				assert.throws(() => foreignMemory.map(domid, [-1]), TypeError);
				assert.throws(() => foreignMemory.map(domid, [2 ** 60]), TypeError);
			});
		},
		"closing the hypervisor unmaps what is left": async (host) => {
			await withPvGuest(host, {}, async ({ domid, consoleFrame }) => {
				const left = host.hypervisor.foreignMemory.map(domid, [consoleFrame]);
				host.hypervisor.foreignMemory.close();
				assert.equal(left.buffer.byteLength, 0);
			});
		},
	});
}
