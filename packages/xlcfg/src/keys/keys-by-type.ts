import type { GuestType } from "../guest-config.ts";
import { PV_KEYS, STUB_KEYS } from "./device-model.ts";

const HVM = [
	...["bios", "bios_path_override", "firmware_override", "smbios_firmware", "acpi_firmware", "smbios", "boot"],
	...["serial", "vga", "stdvga", "videoram", "nographic", "hdtype", "usb", "usbdevice", "usbversion", "soundhw"],
	...["spice", "spiceport", "spicetls_port", "spicehost", "spicedisable_ticketing", "spicepasswd", "spiceagent_mouse"],
	...["spicevdagent", "spice_clipboard_sharing", "spiceusbredirection", "spice_image_compression"],
	...["spice_streaming_video", "gfx_passthru", "vkb_device", "xen_platform_pci", "xen_platform_pci_bar_uc"],
	...["vendor_device", "acpi_s3", "acpi_s4", "acpi_laptop_slate", "hpet", "vpt_align", "viridian", "ms_vm_genid"],
	...["mmio_hole", "rdm", "rdm_mem_boundary", "hvm_pirq", "mca_caps", "on_device_model_failure", "device_model"],
	...["device_model_version", "device_model_override", "device_model_stubdomain_override", "device_model_args"],
	...["device_model_args_hvm", "device_model_args_pv", "device_model_user", "dm_restrict", ...STUB_KEYS],
];
const HVM_AND_PVH = ["hap", "oos", "nestedhvm", "altp2m", "altp2mhvm", "altp2m_count", "timer_mode", "shadow_memory"];
const PVH = ["pvshim", "pvshim_path", "pvshim_cmdline", "pvshim_extra"];
const PV = ["e820_host"];
const PVH_AND_PV = ["bootloader", "bootloader_args", "bootloader_restrict", "bootloader_user", "vfb"];

const ONLY_HVM = HVM.filter((key) => ![...PV_KEYS, "dm_restrict"].includes(key));

/** Keys that mean nothing to a guest of the type: xl leaves them aside without a word. */
export const KEYS_WITHOUT_EFFECT: Readonly<Record<GuestType, readonly string[]>> = {
	hvm: [...PVH, ...PV, ...PVH_AND_PV],
	pvh: [...ONLY_HVM, ...PV],
	pv: [...ONLY_HVM, ...HVM_AND_PVH, ...PVH],
};
