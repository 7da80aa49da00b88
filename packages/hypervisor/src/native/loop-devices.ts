import { closeSync } from "node:fs";
import type { LoopDevice, LoopDevices } from "../ports/host-devices.ts";
import { attemptAsync } from "../refusal.ts";
import type { RingsAddon } from "./addon-shapes.ts";

/** Files as block devices by the kernel's loop driver. */
export class NativeLoopDevices implements LoopDevices {
	readonly #addon: RingsAddon;

	constructor(addon: RingsAddon) {
		this.#addon = addon;
	}

	async attach(path: string, { readOnly }: { readOnly: boolean }): Promise<LoopDevice> {
		const device = await attemptAsync(
			`Could not attach ${path} to a loop device`,
			() => this.#addon.attachLoop(path, readOnly),
			{ path },
		);
		let open = true;
		return {
			path: device.path,
			physicalDevice: `${device.major.toString(16)}:${device.minor.toString(16)}`,
			release: () => {
				if (!open) return;
				open = false;
				closeSync(device.fd);
			},
		};
	}
}
