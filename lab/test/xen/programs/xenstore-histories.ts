import { BulkheadError } from "@bulkhead/base";
import { XENSTORED_SOCKET } from "@bulkhead/xenstore";
import { type HistoryShape, randomHistory, runHistory, WireClient } from "@bulkhead/xenstore/contract/histories";
import type { Row } from "./rows.ts";

/** No domain of the lab has it. */
const STRANGER = 32_000;
const SHAPE: HistoryShape = { dom0Clients: 3, domids: [], stranger: STRANGER };
const STEPS = 120;

/**
 * Random histories of domain 0's clients against the host's xenstored, with new seeds each time. A guest has no part: its
 * kernel answers some requests itself (UNWATCH of what is not watched is OK there). On oxenstored each would end at the
 * first difference that the contract's rows name: the model is xenstored's.
 */
export function xenstoreHistories(): Row[] {
	return [1, 2, 3, 4].map((number) => ({
		name: `histories: domain 0's clients agree with the model, ${number}`,
		run: play,
	}));
}

async function play(): Promise<Record<string, unknown>> {
	const seed = Math.floor(Math.random() * 0x7fff_ffff);
	try {
		await runHistory(SHAPE, randomHistory(SHAPE, seed, STEPS), () => WireClient.open(XENSTORED_SOCKET));
	} catch (cause) {
		throw new BulkheadError("xenstore-history-differs", `The history of seed ${seed} differs: ${String(cause)}`, {
			cause,
			fields: { seed, steps: STEPS, shape: SHAPE },
		});
	}
	return { seed, steps: STEPS };
}
