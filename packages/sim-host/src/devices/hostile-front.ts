import { delay } from "@bulkhead/base";
import type { SimMachine } from "@bulkhead/hypervisor/sim";
import type { XenstoreClient } from "@bulkhead/xenstore";

export interface HostileFrontend {
	machine: SimMachine;
	store: XenstoreClient;
	/** The domain's own directory of devices of this kind. */
	root: string;
	devices: readonly string[];
}

const GARBAGE = ["", "-1", "4", "99", "closed", "\u{1f4a3}", "6 ", "7".repeat(512)];
const PAUSE_MS = 1;

/**
 * A guest in wrong hands: writes garbage states into its device nodes without end, points them at others' backends, fills
 * them, and complains at length. Whatever xenstored refuses is tried again.
 */
export async function annoy({ machine, store, root, devices }: HostileFrontend): Promise<void> {
	const refused = (): void => {};
	for (let turn = 0; !machine.signal.aborted; turn++) {
		const node = `${root}/${devices[turn % devices.length]}`;
		await Promise.all([
			store.write(`${node}/state`, GARBAGE[turn % GARBAGE.length] ?? "").catch(refused),
			store.write(`${node}/backend`, "/local/domain/0").catch(refused),
			store.write(`${node}/noise/${turn % 64}`, "x".repeat(256)).catch(refused),
			store
				.write(`${node.replace("/device/", "/error/device/")}/error`, `\u001b[2J${"no ".repeat(100)}`)
				.catch(refused),
		]);
		await delay(PAUSE_MS, machine.signal);
	}
}
