import type { LoopDevice, LoopDevices } from "../../ports/host-devices.ts";
import type { ProcessParts } from "../sim-process.ts";

/** The loop devices that one process has attached. */
export class SimLoopDevices implements LoopDevices {
	readonly #parts: ProcessParts;
	readonly #live = new Map<LoopDevice, string>();

	constructor(parts: ProcessParts) {
		this.#parts = parts;
	}

	get holdings(): string[] {
		return [...this.#live.values()];
	}

	attach(path: string, { readOnly }: { readOnly: boolean }): Promise<LoopDevice> {
		const { host, calls } = this.#parts;
		const attempt = `Could not attach ${path} to a loop device`;
		return calls.run({ name: "loops.attach", attempt, fields: { path } }, () => {
			const { path: name, physicalDevice, release } = host.loops.attach(path, readOnly);
			const device: LoopDevice = {
				path: name,
				physicalDevice,
				release: () => {
					if (this.#live.delete(device)) release();
				},
			};
			this.#live.set(device, `${name} of ${path}`);
			return device;
		});
	}

	close(): void {
		for (const device of this.#live.keys()) device.release();
	}
}
