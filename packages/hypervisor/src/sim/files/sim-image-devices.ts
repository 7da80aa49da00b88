import type { AttachImage, ImageDevice, ImageDevices } from "../../ports/image-devices.ts";
import { SimFailure } from "../calls/sim-failure.ts";
import type { ProcessParts } from "../sim-process.ts";

/** Images as one process sees them. What it attaches is not its own: it outlives the process. */
export class SimImageDevices implements ImageDevices {
	readonly #parts: ProcessParts;

	constructor(parts: ProcessParts) {
		this.#parts = parts;
	}

	async problem(): Promise<{ why: string; remedy: string } | undefined> {
		return this.#parts.host.images.lacks;
	}

	attach(request: AttachImage): Promise<ImageDevice> {
		const { host, calls } = this.#parts;
		const attempt = `Cannot serve the image ${request.path}`;
		return calls.run({ name: "images.attach", attempt, fields: { path: request.path } }, () => {
			if (host.images.lacks) throw new SimFailure("qemu-nbd", "ENOENT", [host.images.lacks.why]);
			return host.images.attach(request);
		});
	}

	isServed(folder: string): Promise<boolean> {
		const { host, calls } = this.#parts;
		return calls.run({ name: "images.isServed", attempt: "Cannot look for an image server" }, () =>
			host.images.isServed(folder),
		);
	}

	release(folder: string): Promise<void> {
		const { host, calls } = this.#parts;
		return calls.run({ name: "images.release", attempt: "Cannot release an image" }, () => host.images.release(folder));
	}
}
