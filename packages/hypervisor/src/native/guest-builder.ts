import type { BuildHvm, BuildPv, BuildPvh, BuiltImage, GuestBuilder } from "../ports/guest-builder.ts";
import { attemptAsync } from "../refusal.ts";
import type { ControlAddon } from "./addon-shapes.ts";
import { Slots } from "./slots.ts";

/**
 * A build occupies a thread of libuv's pool (four by default) for seconds: no more than this many at once, so that
 * file access and other hypercalls keep flowing.
 */
const MAX_CONCURRENT_BUILDS = 2;

/** hvm/e820.h: HVM_BELOW_4G_MMIO_LENGTH. */
const DEFAULT_HOLE_MIB = 256;

/** Guest images by libxenguest. */
export class NativeGuestBuilder implements GuestBuilder {
	readonly #addon: ControlAddon;
	readonly #slots = new Slots(MAX_CONCURRENT_BUILDS);

	constructor(addon: ControlAddon) {
		this.#addon = addon;
	}

	buildPv({ ramdisk = "", ...request }: BuildPv): Promise<BuiltImage> {
		return this.#build(request, () => this.#addon.buildPv({ ...request, ramdisk }));
	}

	buildHvm(request: BuildHvm): Promise<BuiltImage> {
		const raw = {
			...request,
			vcpus: request.vcpus ?? request.maxVcpus,
			memoryKiB: request.memoryKiB ?? request.maxMemoryKiB,
			mmioHoleMiB: request.mmioHoleMiB ?? DEFAULT_HOLE_MIB,
			apic: request.apic ?? true,
			acpiFirmware: request.acpiFirmware ?? "",
			smbiosFirmware: request.smbiosFirmware ?? "",
		};
		return this.#build(request, () => this.#addon.buildHvm(raw));
	}

	buildPvh({ ramdisk = "", ...request }: BuildPvh): Promise<BuiltImage> {
		return this.#build(request, () => this.#addon.buildPvh({ ...request, ramdisk }));
	}

	#build(request: BuildPv | BuildHvm | BuildPvh, build: () => Promise<BuiltImage>): Promise<BuiltImage> {
		const image = "kernel" in request ? request.kernel : request.firmware;
		return this.#slots.run(() =>
			attemptAsync(`Could not build domain ${request.domid} from ${image}`, build, { domid: request.domid, image }),
		);
	}
}
