import assert from "node:assert/strict";
import { DOM0, grantRef } from "@bulkhead/base";
import type { ContractRow, OpenContractHost } from "./contract-host.ts";
import { refused } from "./refused.ts";
import { rows } from "./rows.ts";
import { until } from "./until.ts";

const PAGE = 4096;

/** Pages that domain 0 offers to itself: both ends are at hand. */
export function offersContract(open: OpenContractHost): ContractRow[] {
	return rows("offers", open, {
		"an offered page is clean, and both sides see the same memory": async ({ offers, rings: { grants } }) => {
			const offered = offers.offer(DOM0, 1);
			assert.equal(offered.refs.length, 1);
			const ours = new Uint8Array(offered.buffer);
			assert.equal(ours.length, PAGE);
			assert.ok(
				ours.every((byte) => byte === 0),
				"the page is not clean",
			);
			const mapped = grants.map(DOM0, offered.refs, { writable: true });
			const theirs = new Uint8Array(mapped.buffer);
			ours[17] = 0x51;
			assert.equal(theirs[17], 0x51);
			Atomics.store(new Uint32Array(mapped.buffer), 9, 0xdeadbeef);
			assert.equal(Atomics.load(new Uint32Array(offered.buffer), 9), 0xdeadbeef);
			mapped.unmap();
			offered.close();
		},
		"several pages lie side by side in the order of their references": async ({ offers, rings: { grants } }) => {
			const offered = offers.offer(DOM0, 4);
			assert.equal(new Set(offered.refs).size, 4);
			const mapped = grants.map(DOM0, offered.refs, { writable: true });
			const [ours, theirs] = [new Uint8Array(offered.buffer), new Uint8Array(mapped.buffer)];
			assert.deepEqual([ours.length, theirs.length], [4 * PAGE, 4 * PAGE]);
			for (let page = 0; page < 4; page++) ours[page * PAGE + 5] = 0xa0 + page;
			for (let page = 0; page < 4; page++) assert.equal(theirs[page * PAGE + 5], 0xa0 + page);
			mapped.unmap();
			offered.close();
		},
		"closing detaches every view, may be repeated, and takes the grant back": async ({ offers, rings: { grants } }) => {
			const offered = offers.offer(DOM0, 1);
			const [ref = grantRef(0)] = offered.refs;
			const view = new Uint8Array(offered.buffer);
			offered.close();
			offered.close();
			assert.equal(view.length, 0);
			assert.equal(offered.buffer.byteLength, 0);
			await refused(() => grants.map(DOM0, [ref], { writable: true }));
		},
		"closing clears the byte asked for and notifies the port, while the other side looks on": async (host) => {
			const { offers, rings } = host;
			let told = 0;
			const ours = rings.evtchns.bindUnbound(DOM0, () => {});
			const witness = rings.evtchns.bindInterdomain(DOM0, ours.port, () => told++);
			const offered = offers.offer(DOM0, 1, { onEnd: { clearByteOffset: 21, notifyPort: ours.port } });
			const mapped = rings.grants.map(DOM0, offered.refs, { writable: true });
			new Uint8Array(offered.buffer).fill(0x77, 20, 23);
			ours.notify();
			await until("the pair works", () => told > 0);
			const before = told;
			offered.close();
			await until("the port is notified", () => told > before);
			assert.deepEqual([...new Uint8Array(mapped.buffer).subarray(20, 23)], [0x77, 0, 0x77]);
			mapped.unmap();
			witness.close();
			ours.close();
		},
		"impossible offers are refused": async ({ offers, rings: { evtchns } }) => {
			assert.throws(() => offers.offer(DOM0, 0), TypeError);
			assert.throws(() => offers.offer(DOM0, 100_000), TypeError);
			const { port } = evtchns.bindUnbound(DOM0, () => {});
			assert.throws(() => offers.offer(DOM0, 2, { onEnd: { clearByteOffset: 0, notifyPort: port } }), TypeError);
			assert.throws(() => offers.offer(DOM0, 1, { onEnd: { clearByteOffset: PAGE, notifyPort: port } }), TypeError);
		},
		"a hundred offers in a row leave nothing": async (host) => {
			const before = host.countHandles();
			for (let count = 0; count < 100; count++) host.offers.offer(DOM0, 2).close();
			assert.equal(host.countHandles(), before);
		},
		"closing the set takes everything back and refuses new offers": async ({ offers }) => {
			const left = offers.offer(DOM0, 1);
			offers.close();
			offers.close();
			assert.equal(left.buffer.byteLength, 0);
			left.close();
			await refused(() => offers.offer(DOM0, 1));
		},
	});
}
