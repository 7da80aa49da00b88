import type { AttachImage, ImageDevice } from "../../ports/image-devices.ts";
import type { SimLoops } from "./sim-loops.ts";

interface Served {
	path: string;
	device: ImageDevice;
	isServed: boolean;
	release: () => void;
}

/**
 * Image servers of a simulated domain 0: they outlive the processes that attach images. What a device shows is the file's
 * bytes as they are; formats are not understood here.
 */
export class SimImages {
	readonly #loops: SimLoops;
	readonly #served = new Map<string, Served>();
	/** What the host lacks to serve images. */
	lacks: { why: string; remedy: string } | undefined;

	constructor(loops: SimLoops) {
		this.#loops = loops;
	}

	/** Images that are attached, as words. */
	get attached(): string[] {
		return [...this.#served.values()].map(({ device, path }) => `${device.path} of ${path}`);
	}

	/** @throws SimFailure */
	attach({ path, readOnly, folder }: AttachImage): ImageDevice {
		const loop = this.#loops.attach(path, readOnly);
		const device = { path: loop.path, physicalDevice: loop.physicalDevice };
		this.#served.set(folder, { path, device, isServed: true, release: loop.release });
		return device;
	}

	isServed(folder: string): boolean {
		return this.#served.get(folder)?.isServed === true;
	}

	/** As the kernel does when it runs out of memory. */
	killServers(): void {
		for (const served of this.#served.values()) served.isServed = false;
	}

	release(folder: string): void {
		this.#served.get(folder)?.release();
		this.#served.delete(folder);
	}
}
