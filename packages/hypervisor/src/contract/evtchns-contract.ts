import assert from "node:assert/strict";
import { DOM0, domId, evtchnPort } from "@bulkhead/base";
import type { BoundEvtchn, EventChannels } from "../ports/event-channels.ts";
import type { ContractRow, OpenContractHost } from "./contract-host.ts";
import { refused } from "./refused.ts";
import { rows } from "./rows.ts";
import { until } from "./until.ts";

const ROUND_TRIPS = 500;
const STORM_TICKS = 20;

export function evtchnsContract(open: OpenContractHost): ContractRow[] {
	return rows("evtchns", open, {
		"a notification reaches the other end, both ways": async ({ rings: { evtchns } }) => {
			const { near, far, counts } = pair(evtchns);
			await expectMore(counts, "far", () => near.notify());
			await expectMore(counts, "near", () => far.notify());
		},
		"500 round trips arrive": async ({ rings: { evtchns } }) => {
			let trips = 0;
			const near = evtchns.bindUnbound(DOM0, () => {
				if (++trips < ROUND_TRIPS) near.notify();
			});
			const far = evtchns.bindInterdomain(DOM0, near.port, () => far.notify());
			near.notify();
			await until(`${ROUND_TRIPS} round trips are made`, () => trips >= ROUND_TRIPS);
		},
		"an event that arrives while the handler works calls it again": async ({ rings: { evtchns } }) => {
			let calls = 0;
			const near = evtchns.bindUnbound(DOM0, () => {
				if (++calls === 1) far.notify();
			});
			const far = evtchns.bindInterdomain(DOM0, near.port, () => {});
			far.notify();
			await until("the handler is called twice", () => calls >= 2);
		},
		"a paused channel calls nobody, says when it is resumed whether something came, and hears again": async ({
			rings: { evtchns },
		}) => {
			const { near, far, counts } = pair(evtchns);
			far.notify();
			await until("the pair works", () => counts.near > 0);
			near.pause();
			near.pause();
			assert.equal(near.resume(), false);
			near.pause();
			const heard = counts.near;
			for (let times = 0; times < 3; times++) {
				far.notify();
				near.notify();
				const before = counts.far;
				await until("the other end has heard", () => counts.far > before);
			}
			assert.equal(counts.near, heard);
			assert.equal(near.resume(), true);
			far.notify();
			await until("the resumed one hears again", () => counts.near > heard);
		},
		"after close the handler is never called, and closing again does nothing": async ({ rings: { evtchns } }) => {
			const closing = pair(evtchns);
			await expectMore(closing.counts, "near", () => closing.far.notify());
			closing.far.notify();
			closing.near.close();
			closing.near.close();
			const before = closing.counts.near;
			// The dead end swallows notifications; a live pair bound later shows that the loop has turned meanwhile.
			closing.far.notify();
			const witness = pair(evtchns);
			for (let i = 0; i < 10; i++) await expectMore(witness.counts, "far", () => witness.near.notify());
			assert.equal(closing.counts.near, before);
			await refused(() => closing.near.notify());
		},
		"a handler may close its own channel and others": async ({ rings: { evtchns } }) => {
			const victim = pair(evtchns);
			let calls = 0;
			const near = evtchns.bindUnbound(DOM0, () => {
				calls++;
				near.close();
				victim.far.close();
			});
			const far = evtchns.bindInterdomain(DOM0, near.port, () => {});
			far.notify();
			await until("the handler is called", () => calls === 1);
			far.notify();
			const before = victim.counts.far;
			victim.near.notify();
			const witness = pair(evtchns);
			await expectMore(witness.counts, "far", () => witness.near.notify());
			assert.equal(calls, 1);
			assert.equal(victim.counts.far, before);
		},
		"a storm does not starve timers": async ({ rings: { evtchns } }) => {
			let events = 0;
			const storms = Array.from({ length: 4 }, () => {
				// Each end answers at once, for ever.
				const near: BoundEvtchn = evtchns.bindUnbound(DOM0, () => {
					events++;
					near.notify();
				});
				const far: BoundEvtchn = evtchns.bindInterdomain(DOM0, near.port, () => far.notify());
				return { near, far };
			});
			for (const { near } of storms) near.notify();
			let ticks = 0;
			const timer = setInterval(() => ticks++, 5);
			try {
				await until(`a timer has fired ${STORM_TICKS} times`, () => ticks >= STORM_TICKS, 15_000);
			} finally {
				clearInterval(timer);
				for (const { near, far } of storms) {
					near.close();
					far.close();
				}
			}
			assert.ok(events > STORM_TICKS, `only ${events} events`);
		},
		"what a handler throws is an uncaught exception, and later events still come": async ({ rings: { evtchns } }) => {
			const thrown: unknown[] = [];
			const keep = (error: unknown): void => {
				thrown.push(error);
			};
			let calls = 0;
			const near = evtchns.bindUnbound(DOM0, () => {
				calls++;
				if (calls === 1) throw new RangeError("thrown by a handler");
			});
			const far = evtchns.bindInterdomain(DOM0, near.port, () => {});
			process.on("uncaughtException", keep);
			try {
				far.notify();
				await until("the exception is reported", () => thrown.length === 1);
				assert.ok(thrown[0] instanceof RangeError);
				far.notify();
				await until("the handler is called again", () => calls === 2);
			} finally {
				process.off("uncaughtException", keep);
			}
		},
		"a port that is not offered and a domain that is not there are refused": async ({ rings: { evtchns } }) => {
			const nothing = (): void => {};
			await refused(() => evtchns.bindInterdomain(DOM0, evtchnPort(3000), nothing), "EINVAL");
			await refused(() => evtchns.bindInterdomain(domId(0x7000), evtchnPort(1), nothing), "ESRCH");
			// An offer is not checked: the domain may come to exist.
			evtchns.bindUnbound(domId(0x7000), nothing).close();
			assert.throws(() => evtchns.bindInterdomain(DOM0, 0 as ReturnType<typeof evtchnPort>, nothing), TypeError);
		},
		"closing the whole set closes every channel and refuses new ones": async ({ rings: { evtchns } }) => {
			const { near, far } = pair(evtchns);
			evtchns.close();
			evtchns.close();
			near.close();
			far.close();
			await refused(() => evtchns.bindUnbound(DOM0, () => {}));
		},
	});
}

interface Pair {
	near: BoundEvtchn;
	far: BoundEvtchn;
	counts: { near: number; far: number };
}

/** Two ends within the control domain. */
function pair(evtchns: EventChannels): Pair {
	const counts = { near: 0, far: 0 };
	const near = evtchns.bindUnbound(DOM0, () => counts.near++);
	const far = evtchns.bindInterdomain(DOM0, near.port, () => counts.far++);
	return { near, far, counts };
}

async function expectMore(counts: Pair["counts"], end: "near" | "far", act: () => void): Promise<void> {
	const before = counts[end];
	act();
	await until(`the ${end} end is told`, () => counts[end] > before);
}
