import type { FrameBufferConfig, GuestConfig, KeyedDeviceConfig } from "@bulkhead/xlcfg";

/** A PV or PVH guest's frame buffer and keyboards, which only a QEMU of machine xenpv in domain 0 serves. */
export interface PvScreen {
	frameBuffers: readonly FrameBufferConfig[];
	/** One for each frame buffer, then those of `vkb` (libxl: a vfb brings its vkb). */
	keyboards: readonly KeyedDeviceConfig[];
}

export const NO_SCREEN: PvScreen = { frameBuffers: [], keyboards: [] };

export function pvScreenOf({ type, frameBuffers, keyboards }: GuestConfig): PvScreen {
	if (type === "hvm") return NO_SCREEN;
	return { frameBuffers, keyboards: [...frameBuffers.map(() => ({ "backend-type": "qemu" })), ...keyboards] };
}

/** Whether a guest that has no emulated devices needs a QEMU all the same (libxl__need_xenpv_qemu). */
export const needsPvQemu = (config: GuestConfig): boolean => pvScreenOf(config).keyboards.length > 0;

/** What a QEMU in domain 0 shows, and how: an HVM guest's emulated screen or a PV guest's first frame buffer. */
export function screenOf(config: GuestConfig): Pick<GuestConfig, "vnc" | "sdl" | "keymap"> {
	return config.type === "hvm" ? config : (config.frameBuffers[0] ?? {});
}
