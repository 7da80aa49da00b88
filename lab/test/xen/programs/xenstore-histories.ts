import { Duplex } from "node:stream";
import { BulkheadError, type DomId } from "@bulkhead/base";
import { XENSTORED_SOCKET } from "@bulkhead/xenstore";
import { type HistoryShape, randomHistory, runHistory, WireClient } from "@bulkhead/xenstore/contract/histories";
import type { Row } from "./rows.ts";

/** No domain of the lab has it. */
const STRANGER = 32_000;
const STEPS = { dom0: 120, guest: 60 } as const;

/**
 * Random histories against the host's xenstored: what the in-memory server's tests play, with new seeds each time. Those
 * of oxenstored would end at the first difference that the contract's rows name: the model is xenstored's.
 */
export function xenstoreHistories(guest?: { domid: DomId; device: Duplex }): Row[] {
	const alone: HistoryShape = { dom0Clients: 3, domids: [], stranger: STRANGER };
	return [
		...[1, 2, 3].map((number) => ({
			name: `histories: domain 0's clients agree with the model, ${number}`,
			run: () => play(alone, STEPS.dom0, () => WireClient.open(XENSTORED_SOCKET)),
		})),
		{
			name: "histories: domain 0's clients and a guest agree with the model",
			run: async () => {
				if (!guest) throw new Error("There is no guest");
				const shape: HistoryShape = { dom0Clients: 2, domids: [guest.domid], stranger: STRANGER };
				const figures = await play(shape, STEPS.guest, async (domid) =>
					domid === 0 ? WireClient.open(XENSTORED_SOCKET) : new WireClient(lend(guest.device)),
				);
				// The device stays open where a connection of the history's own would have ended.
				const last = new WireClient(lend(guest.device));
				await last.ask("RESET_WATCHES", "\0");
				last.close();
				return figures;
			},
		},
	];
}

async function play(
	shape: HistoryShape,
	steps: number,
	connect: (domid: number) => Promise<WireClient>,
): Promise<Record<string, unknown>> {
	const seed = Math.floor(Math.random() * 0x7fff_ffff);
	try {
		await runHistory(shape, randomHistory(shape, seed, steps), connect);
	} catch (cause) {
		throw new BulkheadError("xenstore-history-differs", `The history of seed ${seed} differs: ${String(cause)}`, {
			cause,
			fields: { seed, steps, shape },
		});
	}
	return { seed, steps };
}

/** A stream over another one that outlives it. */
function lend(stream: Duplex): Duplex {
	const receive = (chunk: Buffer): void => {
		lent.push(chunk);
	};
	const lent = new Duplex({
		read() {},
		write: (chunk: Buffer, _encoding, done) => {
			stream.write(chunk, done);
		},
		destroy: (error, done) => {
			stream.off("data", receive);
			done(error);
		},
	});
	stream.on("data", receive);
	return lent;
}
