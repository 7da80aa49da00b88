import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { CONSOLE_PAGE as PAGE } from "@bulkhead/console";

/**
 * - `flood`: writes as much as fits, as fast as it can. `notify`: events for nothing. `bytes`: an event for each byte.
 * - `race`: announces at random and changes what it has announced. `nonsense`: counters at random.
 * - `echo`: gives back what is typed.
 */
export const FRONTEND_MANNERS = ["flood", "notify", "bytes", "race", "nonsense"] as const;
export type FrontendManner = (typeof FRONTEND_MANNERS)[number] | "echo";

export interface FrontendThread {
	manners: FrontendManner[];
	pages: SharedArrayBuffer[];
	/** 1: an event is pending. */
	toBackend: Int32Array;
	toFrontend: Int32Array;
}

type Ring = { bytes: Uint8Array; words: Uint32Array; notify: () => void };

const STEPS: Record<FrontendManner, (ring: Ring) => void> = {
	flood: (ring) => produce(ring, PAGE.outputBytes),
	notify: ({ notify }) => notify(),
	bytes: (ring) => produce(ring, 1),
	race: (ring) => {
		ring.bytes.fill(Math.random() * 256, PAGE.outputOffset, PAGE.outputOffset + PAGE.outputBytes);
		produce(ring, Math.ceil(Math.random() * PAGE.outputBytes));
	},
	nonsense: ({ words, notify }) => {
		Atomics.store(words, PAGE.outputProduced, Math.random() * 2 ** 32);
		notify();
	},
	echo: (ring) => {
		const { words } = ring;
		const count = (Atomics.load(words, PAGE.inputProduced) - Atomics.load(words, PAGE.inputConsumed)) >>> 0;
		if (count === 0) return;
		Atomics.add(words, PAGE.inputConsumed, count);
		produce(ring, count);
	},
};

function produce({ words, notify }: Ring, most: number): void {
	const produced = Atomics.load(words, PAGE.outputProduced);
	const room = PAGE.outputBytes - ((produced - Atomics.load(words, PAGE.outputConsumed)) >>> 0);
	const count = Math.min(room, most);
	if (count <= 0) return;
	Atomics.store(words, PAGE.outputProduced, (produced + count) >>> 0);
	notify();
}

if (!isMainThread && parentPort) {
	const { manners, pages, toBackend } = workerData as FrontendThread;
	const guests = manners.map((manner, index) => {
		const page = pages[index] as unknown as ArrayBuffer;
		const notify = (): void => {
			if (Atomics.exchange(toBackend, index, 1) === 0) Atomics.notify(toBackend, index);
		};
		return { step: STEPS[manner], ring: { bytes: new Uint8Array(page), words: new Uint32Array(page), notify } };
	});
	parentPort.postMessage("ready");
	for (;;) for (const { step, ring } of guests) step(ring);
}
