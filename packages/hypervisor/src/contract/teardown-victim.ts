import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { DOM0, domId, evtchnPort, grantRef } from "@bulkhead/base";
import { openHypervisor, openRingHost } from "../native/index.ts";

/** How the victim ends while it holds everything that the addons can hold. */
export const TEARDOWN_WAYS = ["killed", "exit", "worker-ended", "worker-terminated", "collected"] as const;
export type TeardownWay = (typeof TEARDOWN_WAYS)[number];

export interface TeardownTarget {
	way: TeardownWay;
	domid: number;
	consoleFrame: number;
	/** The parent's port; notified when the mapping goes. */
	parentPort: number;
	clearByteOffset: number;
	/** This program, for a Worker. */
	program: string;
}

/** What the victim prints when it holds everything. */
export const VICTIM_READY = "holding";

/** The main thread of a victim process. */
export async function runVictim(target: TeardownTarget): Promise<void> {
	switch (target.way) {
		case "killed":
			hold(target);
			// A bound channel keeps the process alive until the parent kills it.
			process.stdout.write(`${VICTIM_READY}\n`);
			return;
		case "exit":
			hold(target);
			process.stdout.write(`${VICTIM_READY}\n`, () => process.exit(0));
			return;
		case "collected":
			abandonMapping(target);
			process.stdout.write(`${VICTIM_READY}\n`);
			await collectGarbage();
			return;
		case "worker-ended":
		case "worker-terminated": {
			const worker = new Worker(target.program, { workerData: target });
			await once(worker, "message");
			process.stdout.write(`${VICTIM_READY}\n`);
			if (target.way === "worker-terminated") await worker.terminate();
			else await once(worker, "exit");
			// The process goes on and ends by itself: a broken teardown would have aborted it.
			process.stdout.write("the main thread is well\n");
		}
	}
}

/** Binds, maps, watches and calls, and closes none of it. */
export function hold({ domid, consoleFrame, parentPort, clearByteOffset }: TeardownTarget): void {
	const rings = openRingHost();
	const hypervisor = openHypervisor();
	const channel = rings.evtchns.bindInterdomain(DOM0, evtchnPort(parentPort), () => {});
	rings.grants.map(domId(domid), [grantRef(0)], {
		writable: true,
		onUnmap: { clearByteOffset, notifyPort: channel.port },
	});
	hypervisor.foreignMemory.map(domId(domid), [consoleFrame]);
	rings.devices.pollLoop(rings.devices.openPty().masterFd, () => {}).watch({ writable: true, readable: true });
	hypervisor.domains.list().catch(() => {});
}

/** A mapping that nothing refers to any more, beside a channel that stays. */
function abandonMapping(target: TeardownTarget): void {
	const rings = openRingHost();
	const channel = rings.evtchns.bindInterdomain(DOM0, evtchnPort(target.parentPort), () => {});
	const { clearByteOffset } = target;
	// The set that would unmap it at close goes with the whole ring host.
	openRingHost().grants.map(domId(target.domid), [grantRef(0)], {
		writable: true,
		onUnmap: { clearByteOffset, notifyPort: channel.port },
	});
}

async function collectGarbage(): Promise<void> {
	if (!globalThis.gc) throw new TypeError("Run with --expose-gc");
	for (;;) {
		globalThis.gc();
		await new Promise((resolve) => setImmediate(resolve));
	}
}
