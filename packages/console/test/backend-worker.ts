import { parentPort, workerData } from "node:worker_threads";
import type { DomId, EvtchnPort, GrantRef } from "@bulkhead/base";
import { ConsoleBackend, Journal } from "@bulkhead/console";

/** A console backend in a thread of its own, on memory shared with its frontend: to be terminated anywhere. */
const { page, directory, segmentBytes } = workerData as {
	page: SharedArrayBuffer;
	directory: string;
	segmentBytes: number;
};
const port = parentPort;
if (!port) throw new Error("Runs as a worker only");

ConsoleBackend.attach({
	evtchns: {
		bindInterdomain: (_domid, remotePort, onEvent) => {
			let isPaused = false;
			let isHeld = false;
			port.on("message", () => {
				if (isPaused) isHeld = true;
				else onEvent();
			});
			const resume = (): boolean => {
				const wasHeld = isHeld;
				isPaused = false;
				isHeld = false;
				return wasHeld;
			};
			const pause = (): void => {
				isPaused = true;
			};
			return { port: remotePort, notify: () => port.postMessage("notify"), pause, resume, close: () => {} };
		},
		bindUnbound: () => {
			throw new Error("Not offered");
		},
		close: () => {},
	},
	grants: {
		map: () => ({ buffer: page as unknown as ArrayBuffer, unmap: () => {} }),
		close: () => {},
	},
	domid: 1 as DomId,
	gref: 1 as GrantRef,
	remotePort: 1 as EvtchnPort,
	ringId: "ring",
	journal: Journal.open({ directory, label: "serial0", segmentBytes }),
	onBroken: (error) => {
		throw error;
	},
});
port.postMessage("ready");
