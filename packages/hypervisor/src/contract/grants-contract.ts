import assert from "node:assert/strict";
import { DOM0, domId, grantRef } from "@bulkhead/base";
import type { ContractRow, OpenContractHost } from "./contract-host.ts";
import { refused } from "./refused.ts";
import { rows } from "./rows.ts";
import { untilGone, withPvGuest } from "./test-domain.ts";
import { until } from "./until.ts";

const PAGE = 4096;
/** The builder grants these to the control domain (libxenguest: xc_dom_gnttab_init). */
const CONSOLE = grantRef(0);
const STORE = grantRef(1);
/** Inside the input ring, which nobody uses here. */
const SCRATCH_OFFSET = 100;

export function grantsContract(open: OpenContractHost): ContractRow[] {
	return rows("grants", open, {
		"the console page of a new guest can be mapped and read": async (host) => {
			await withPvGuest(host, {}, async ({ domid }) => {
				const mapped = host.rings.grants.map(domid, [CONSOLE]);
				assert.equal(mapped.buffer.byteLength, PAGE);
				assert.ok(
					new Uint8Array(mapped.buffer).every((byte) => byte === 0),
					"the page is not clean",
				);
				mapped.unmap();
			});
		},
		"grant and foreign mapping show the same memory, page by page in the order asked": async (host) => {
			await withPvGuest(host, {}, async ({ domid, consoleFrame, storeFrame }) => {
				const granted = host.rings.grants.map(domid, [STORE, CONSOLE], { writable: true });
				const foreign = host.hypervisor.foreignMemory.map(domid, [storeFrame, consoleFrame], { writable: true });
				assert.equal(granted.buffer.byteLength, 2 * PAGE);
				assert.equal(foreign.buffer.byteLength, 2 * PAGE);
				const one = new Uint8Array(granted.buffer);
				const other = new Uint8Array(foreign.buffer);
				one[SCRATCH_OFFSET] = 0x51;
				one[PAGE + SCRATCH_OFFSET] = 0xc0;
				assert.equal(other[SCRATCH_OFFSET], 0x51);
				assert.equal(other[PAGE + SCRATCH_OFFSET], 0xc0);
				Atomics.store(new Uint32Array(foreign.buffer), PAGE / 4 + 32, 0xdeadbeef);
				assert.equal(Atomics.load(new Uint32Array(granted.buffer), PAGE / 4 + 32), 0xdeadbeef);
				granted.unmap();
				assert.equal(granted.buffer.byteLength, 0);
				assert.equal(other[SCRATCH_OFFSET], 0x51);
				// One look each: what was seen by the grant is gone with it. Else the bytes stay until the other goes too.
				assert.equal(one.length, host.abilities.independentMappings ? 0 : 2 * PAGE);
				foreign.unmap();
				assert.equal(one.length, 0);
				assert.equal(other.length, 0);
			});
		},
		"mapped pages keep their bytes in whatever order they are mapped next": async (host) => {
			await withPvGuest(host, {}, async ({ domid, consoleFrame, storeFrame }) => {
				const granted = host.rings.grants.map(domid, [STORE, CONSOLE], { writable: true });
				const one = new Uint8Array(granted.buffer);
				one[SCRATCH_OFFSET] = 0x51;
				one[PAGE + SCRATCH_OFFSET] = 0xc0;
				const swapped = (): { buffer: ArrayBuffer; unmap(): void } =>
					host.hypervisor.foreignMemory.map(domid, [consoleFrame, storeFrame]);
				// At the same time where mappings are independent; where they are not, another order is refused meanwhile.
				if (!host.abilities.independentMappings) {
					await refused(swapped, "EBUSY");
					granted.unmap();
				}
				const foreign = swapped();
				const other = new Uint8Array(foreign.buffer);
				assert.equal(other[SCRATCH_OFFSET], 0xc0);
				assert.equal(other[PAGE + SCRATCH_OFFSET], 0x51);
				granted.unmap();
				foreign.unmap();
			});
		},
		"unmap detaches every view and may be repeated": async (host) => {
			await withPvGuest(host, {}, async ({ domid }) => {
				const mapped = host.rings.grants.map(domid, [CONSOLE], { writable: true });
				const { buffer } = mapped;
				const bytes = new Uint8Array(buffer);
				const words = new Uint32Array(buffer, 16, 4);
				mapped.unmap();
				assert.equal(buffer.byteLength, 0);
				assert.equal(bytes.length, 0);
				assert.equal(bytes[0], undefined);
				bytes[0] = 1;
				assert.throws(() => Atomics.load(words, 0), TypeError);
				mapped.unmap();
			});
		},
		"a mapping cannot be moved away by structuredClone": async (host) => {
			await withPvGuest(host, {}, async ({ domid }) => {
				const mapped = host.rings.grants.map(domid, [CONSOLE], { writable: true });
				const { buffer } = mapped;
				// Node 20 copies what must not be transferred; later versions throw.
				try {
					structuredClone(buffer, { transfer: [buffer] });
				} catch (error) {
					assert.equal((error as Error).name, "DataCloneError");
				}
				assert.equal(buffer.byteLength, PAGE);
				mapped.unmap();
				assert.equal(buffer.byteLength, 0);
			});
		},
		"unmapping clears the byte and notifies the port asked for": async (host) => {
			await withPvGuest(host, {}, async ({ domid, consoleFrame }) => {
				let told = 0;
				const ours = host.rings.evtchns.bindUnbound(DOM0, () => {});
				const witness = host.rings.evtchns.bindInterdomain(DOM0, ours.port, () => told++);
				const mapped = host.rings.grants.map(domid, [CONSOLE], {
					writable: true,
					onUnmap: { clearByteOffset: SCRATCH_OFFSET, notifyPort: ours.port },
				});
				const foreign = host.hypervisor.foreignMemory.map(domid, [consoleFrame]);
				const seen = new Uint8Array(foreign.buffer);
				const bytes = new Uint8Array(mapped.buffer);
				bytes.fill(0x77, SCRATCH_OFFSET - 1, SCRATCH_OFFSET + 2);
				assert.equal(seen[SCRATCH_OFFSET], 0x77);
				ours.notify();
				await until("the pair works", () => told > 0);
				const before = told;
				mapped.unmap();
				await until("the port is notified", () => told > before);
				assert.deepEqual([...seen.subarray(SCRATCH_OFFSET - 1, SCRATCH_OFFSET + 2)], [0x77, 0, 0x77]);
				foreign.unmap();
				witness.close();
				ours.close();
			});
		},
		"an unmap notification asks for exactly one page and an offset within it": async (host) => {
			await withPvGuest(host, {}, async ({ domid }) => {
				const { port } = host.rings.evtchns.bindUnbound(DOM0, () => {});
				const { grants } = host.rings;
				const onUnmap = { clearByteOffset: 0, notifyPort: port };
				assert.throws(() => grants.map(domid, [CONSOLE, STORE], { writable: true, onUnmap }), TypeError);
				const outside = { clearByteOffset: PAGE, notifyPort: port };
				assert.throws(() => grants.map(domid, [CONSOLE], { writable: true, onUnmap: outside }), TypeError);
			});
		},
		"what was not granted is refused": async (host) => {
			await withPvGuest(host, {}, async ({ domid }) => {
				const { grants } = host.rings;
				await refused(() => grants.map(domid, [grantRef(7)]));
				await refused(() => grants.map(domid, [CONSOLE, grantRef(7)]));
				await refused(() => grants.map(domid, [grantRef(0xffff_fff0)]));
				await refused(() => grants.map(domId(0x7000), [CONSOLE]));
				assert.throws(() => grants.map(domid, []), TypeError);
				assert.throws(
					() =>
						grants.map(
							domid,
							Array.from({ length: 100_000 }, () => CONSOLE),
						),
					TypeError,
				);
			});
		},
		"a mapped page outlives its domain, which goes when the page is unmapped": async (host) => {
			const { domains } = host.hypervisor;
			const { domid, mapped } = await withPvGuest(host, {}, async (guest) => {
				const page = host.rings.grants.map(guest.domid, [CONSOLE], { writable: true });
				await domains.destroy(guest.domid);
				assert.equal((await domains.find(guest.domid))?.dying, true);
				new Uint8Array(page.buffer)[SCRATCH_OFFSET] = 9;
				page.unmap();
				return { domid: guest.domid, mapped: page };
			});
			await untilGone(host, domid);
			mapped.unmap();
		},
		"closing the set unmaps what is left and refuses new mappings": async (host) => {
			await withPvGuest(host, {}, async ({ domid }) => {
				const { grants } = host.rings;
				const left = grants.map(domid, [CONSOLE]);
				grants.close();
				grants.close();
				assert.equal(left.buffer.byteLength, 0);
				left.unmap();
				await refused(() => grants.map(domid, [CONSOLE]));
			});
		},
	});
}
