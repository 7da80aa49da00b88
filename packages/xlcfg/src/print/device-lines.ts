import { ABSENT } from "../absent.ts";
import type { GuestConfig, SdlConfig, SpiceConfig, VncConfig } from "../guest-config.ts";
import { formatChannel } from "../specs/channel-spec.ts";
import { formatDisk } from "../specs/disk-config.ts";
import { formatKeyedDevice } from "../specs/keyed-device.ts";
import { formatNic } from "../specs/nic-spec.ts";
import { formatPci } from "../specs/pci-spec.ts";
import { formatFrameBuffer } from "../specs/screen-specs.ts";
import { soundCardItems } from "../specs/sound-card.ts";
import { flag, list, lists, mebibytes, number, text } from "./lines.ts";

/** Devices of every type of guest. */
export function deviceLines(config: GuestConfig): string[] {
	return [
		...list("disk", config.disks.map(formatDisk)),
		...list("vif", config.nics.map(formatNic)),
		...list("channel", config.channels.map(formatChannel)),
		...list("vfb", config.frameBuffers.map(formatFrameBuffer)),
		...list("vkb", config.keyboards.map(formatKeyedDevice)),
		...list("usbctrl", config.usbControllers.map(formatKeyedDevice)),
		...list("usbdev", config.usbDevices.map(formatKeyedDevice)),
		...list("p9", config.p9.map(formatKeyedDevice)),
		...list("vtpm", config.vtpms.map(formatKeyedDevice)),
		...list("pvcalls", config.pvCalls.map(formatKeyedDevice)),
		...lists("vsnd", config.sounds.map(soundCardItems)),
		...list("vdispl", config.displays.map(formatKeyedDevice)),
		...list("virtio", config.virtio.map(formatKeyedDevice)),
		...list("pci", config.pci.map(formatPci)),
		...list("ioports", config.ioPorts),
		...list("irqs", config.irqs.map(String)),
		...list("iomem", config.ioMemory),
	];
}

/** Devices that QEMU emulates, and the screens of an HVM guest. */
export function emulatedDeviceLines(config: GuestConfig): string[] {
	const { usb } = config;
	return [
		...list("serial", config.serials),
		...text("vga", config.vga),
		...(config.vga === "none" ? [] : mebibytes("videoram", config.videoMemoryKiB)),
		...flag("nographic", config.nographic, false),
		...text("gfx_passthru", config.gfxPassthru === "on" ? "1" : config.gfxPassthru),
		...vncLines(config.vnc),
		...sdlLines(config.sdl),
		...spiceLines(config.spice),
		...text("keymap", config.keymap),
		...flag("vkb_device", config.pvKeyboard, ABSENT.pvKeyboard),
		...text("hdtype", config.hdType),
		...(usb && usb.version === undefined ? number("usb", 1) : []),
		...list("usbdevice", usb?.devices ?? []),
		...number("usbversion", usb?.version),
		...text("soundhw", config.soundHardware),
	];
}

function vncLines(vnc: VncConfig | undefined): string[] {
	if (!vnc) return [];
	return [
		...number("vnc", 1),
		...text("vnclisten", vnc.listen),
		...number("vncdisplay", vnc.display),
		...flag("vncunused", vnc.findUnused),
		...text("vncpasswd", vnc.password),
	];
}

function sdlLines(sdl: SdlConfig | undefined): string[] {
	if (!sdl) return [];
	return [
		...number("sdl", 1),
		...flag("opengl", sdl.opengl, false),
		...text("display", sdl.display),
		...text("xauthority", sdl.xauthority),
	];
}

function spiceLines(spice: SpiceConfig | undefined): string[] {
	if (!spice) return [];
	return [
		...number("spice", 1),
		...number("spiceport", spice.port),
		...number("spicetls_port", spice.tlsPort),
		...text("spicehost", spice.host),
		...flag("spicedisable_ticketing", spice.disableTicketing, false),
		...text("spicepasswd", spice.password),
		...flag("spiceagent_mouse", spice.agentMouse, true),
		...flag("spicevdagent", spice.vdagent, false),
		...flag("spice_clipboard_sharing", spice.clipboardSharing, false),
		...(spice.usbRedirection === 0 ? [] : number("spiceusbredirection", spice.usbRedirection)),
		...text("spice_image_compression", spice.imageCompression),
		...text("spice_streaming_video", spice.streamingVideo),
	];
}
