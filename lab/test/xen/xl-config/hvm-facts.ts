import type { GuestConfig } from "@bulkhead/xlcfg";
import { at, type Fact, hvm, hvmFlag, isHvm, listAt, textAt, type XlConfig } from "./fact.ts";

const same = (key: string, ours: Fact["ours"]): Fact => ({ xl: (xl) => hvm(xl, key), ours });
const flag = (key: string, ours: Fact["ours"], otherwise?: boolean): Fact => ({
	xl: (xl) => hvmFlag(otherwise, xl, key),
	ours,
});

/** libxl's numbers of Hyper-V interfaces (libxl_types.idl: viridian_enlightenment). */
const VIRIDIAN = [
	...["base", "freq", "time_ref_count", "reference_tsc", "hcall_remote_tlb_flush", "apic_assist", "crash_ctl"],
	...["synic", "stimer", "hcall_ipi", "ex_processor_masks", "no_vp_limit", "cpu_hotplug"],
];
const VGA: Readonly<Record<string, string>> = { std: "stdvga", cirrus: "cirrus", qxl: "qxl", none: "none" };

const vgaKind = (xl: XlConfig): string => textAt(xl, "b_info", "type.hvm", "vga", "kind") || "cirrus";

/** VNC as both tell it; a PV guest's is a frame buffer's. */
export function vncOfXl(vnc: unknown, onByDefault: boolean): unknown {
	const enabled = at(vnc, "enable") ?? (onByDefault ? "True" : "False");
	if (enabled !== "True") return undefined;
	return {
		listen: at(vnc, "listen") ?? "127.0.0.1",
		display: at(vnc, "display") ?? 0,
		findUnused: at(vnc, "findunused") !== "False",
		password: at(vnc, "passwd"),
	};
}

export function sdlOfXl(sdl: unknown): unknown {
	if (at(sdl, "enable") !== "True") return undefined;
	return { opengl: at(sdl, "opengl") === "True", display: at(sdl, "display"), xauthority: at(sdl, "xauthority") };
}

/** The flag, and "defaults" in a list, are one to libxl. */
function viridianOfXl(xl: XlConfig): unknown {
	const names = (key: string): unknown[] => listAt(xl, "b_info", "type.hvm", key).map((bit) => VIRIDIAN[Number(bit)]);
	const defaults = hvm(xl, "viridian") === "True";
	return { defaults, enable: names("viridian_enable"), disable: names("viridian_disable") };
}

function viridianOfOurs({ viridian }: GuestConfig): unknown {
	return {
		defaults: viridian.includes("defaults"),
		enable: viridian.filter((name) => name !== "defaults" && !name.startsWith("!")),
		disable: viridian.filter((name) => name.startsWith("!")).map((name) => name.slice(1)),
	};
}

function spiceOfXl(xl: XlConfig): unknown {
	const spice = hvm(xl, "spice");
	if (at(spice, "enable") !== "True") return undefined;
	return {
		port: at(spice, "port"),
		tlsPort: at(spice, "tls_port"),
		host: at(spice, "host"),
		disableTicketing: at(spice, "disable_ticketing") === "True",
		password: at(spice, "passwd"),
		agentMouse: at(spice, "agent_mouse") !== "False",
		vdagent: at(spice, "vdagent") === "True",
		clipboardSharing: at(spice, "clipboard_sharing") === "True",
		usbRedirection: at(spice, "usbredirection") ?? 0,
		imageCompression: at(spice, "image_compression"),
		streamingVideo: at(spice, "streaming_video"),
	};
}

function usbOfXl(xl: XlConfig): unknown {
	const [one, version] = [hvm(xl, "usbdevice"), hvm(xl, "usbversion")];
	const devices = [...(one === undefined ? [] : [one]), ...listAt(xl, "b_info", "type.hvm", "usbdevice_list")];
	if (version !== undefined) return { devices, version };
	return hvm(xl, "usb") === "True" ? { devices } : undefined;
}

/** Facts of HVM guests' emulated machines. */
export const HVM_FACTS: Readonly<Record<string, Fact>> = {
	bios: {
		xl: (xl) =>
			hvm(xl, "bios") ?? (at(xl, "b_info", "device_model_version") === "qemu_xen_traditional" ? "rombios" : "seabios"),
		ours: ({ bios }) => bios,
	},
	biosPathOverride: same("system_firmware", ({ biosPathOverride }) => biosPathOverride),
	firmwareOverride: same("firmware", ({ firmwareOverride }) => firmwareOverride),
	smbiosFirmware: same("smbios_firmware", ({ smbiosFirmware }) => smbiosFirmware),
	acpiFirmware: same("acpi_firmware", ({ acpiFirmware }) => acpiFirmware),
	boot: { xl: (xl) => hvm(xl, "boot") ?? "cda", ours: ({ boot }) => boot },
	acpiS3: flag("acpi_s3", ({ acpiS3 }) => acpiS3, true),
	acpiS4: flag("acpi_s4", ({ acpiS4 }) => acpiS4, true),
	acpiLaptopSlate: flag("acpi_laptop_slate", ({ acpiLaptopSlate }) => acpiLaptopSlate, false),
	pae: { xl: (xl) => hvmFlag(true, xl, "pae"), ours: ({ type, pae }) => type !== "hvm" || pae },
	nx: { xl: (xl) => hvmFlag(true, xl, "nx"), ours: ({ type, nx }) => type !== "hvm" || nx },
	hpet: flag("hpet", ({ hpet }) => hpet, true),
	vptAlign: flag("vpt_align", ({ vptAlign }) => vptAlign, true),
	viridian: { xl: viridianOfXl, ours: viridianOfOurs },
	vmGenerationId: {
		// xl draws the id when it reads the file; we keep the wish.
		xl: (xl) => (listAt(xl, "b_info", "type.hvm", "ms_vm_genid").some((byte) => byte !== 0) ? "generate" : undefined),
		ours: ({ vmGenerationId }) => vmGenerationId,
	},
	mmioHoleKiB: same("mmio_hole_memkb", ({ mmioHoleMiB }) => mmioHoleMiB && mmioHoleMiB * 1024),
	rdmBoundaryKiB: same("rdm_mem_boundary_memkb", ({ rdmMemoryBoundaryMiB: miB }) => miB && miB * 1024),
	rdm: {
		xl: (xl) => {
			const [strategy, policy] = [hvm(xl, "rdm", "strategy"), hvm(xl, "rdm", "policy")];
			return strategy === undefined ? undefined : { strategy, policy: policy ?? "relaxed" };
		},
		ours: ({ rdm }) => rdm,
	},
	machineCheck: {
		xl: (xl) => hvm(xl, "mca_caps") !== undefined,
		ours: (config) => config.machineCheckCapabilities !== undefined,
	},
	vga: {
		xl: (xl) => (isHvm(xl) ? VGA[vgaKind(xl)] : "none"),
		ours: ({ vga }) => vga,
	},
	// libxl fills in the size of a card that the file says nothing of later.
	videoMemoryKiB: {
		xl: (xl) => {
			if (!isHvm(xl)) return 0;
			const asked = at(xl, "b_info", "video_memkb");
			const least = { std: 16, qxl: 128, none: 0, cirrus: 8 }[vgaKind(xl)] ?? 0;
			return asked ?? least * 1024;
		},
		ours: ({ videoMemoryKiB }) => videoMemoryKiB,
	},
	nographic: flag("nographic", ({ nographic }) => nographic, false),
	vnc: { xl: (xl) => (isHvm(xl) ? vncOfXl(hvm(xl, "vnc"), true) : undefined), ours: ({ vnc }) => vnc },
	sdl: { xl: (xl) => sdlOfXl(hvm(xl, "sdl")), ours: ({ sdl }) => sdl },
	spice: { xl: spiceOfXl, ours: ({ spice }) => spice },
	keymap: same("keymap", ({ keymap }) => keymap),
	gfxPassthru: {
		xl: (xl) => (hvm(xl, "gfx_passthru") === "True" ? (hvm(xl, "gfx_passthru_kind") ?? "on") : undefined),
		ours: ({ gfxPassthru }) => gfxPassthru,
	},
	hdType: { xl: (xl) => hvm(xl, "hdtype") ?? "ide", ours: ({ hdType }) => hdType },
	serials: {
		xl: (xl) => {
			const one = hvm(xl, "serial");
			return one === undefined ? listAt(xl, "b_info", "type.hvm", "serial_list") : [one];
		},
		ours: ({ serials }) => serials,
	},
	usb: { xl: usbOfXl, ours: ({ usb }) => usb },
	soundHardware: same("soundhw", ({ soundHardware }) => soundHardware),
	xenPlatformPci: flag("xen_platform_pci", ({ xenPlatformPci }) => xenPlatformPci, true),
	vendorDevice: {
		xl: (xl) => (hvm(xl, "vendor_device") === "none" ? undefined : hvm(xl, "vendor_device")),
		ours: ({ vendorDevice }) => vendorDevice,
	},
	pvKeyboard: flag("vkb_device", ({ pvKeyboard }) => pvKeyboard, true),
};
