/** Keys of xl.cfg(5) that Bulkhead does not read yet: told apart from misspelt ones. */
export const UNSUPPORTED_KEYS: ReadonlySet<string> = new Set(
	`acpi_firmware acpi_laptop_slate acpi_s3 acpi_s4 altp2m altp2mhvm bootloader bootloader_args bootloader_restrict
	bootloader_user cap channel cpu_weight cpuid cpus cpus_soft device_model device_model_args_pv device_model_override
	device_model_stubdomain_seclabel device_model_user device_tree display dm_restrict driver_domain dtdev e820_host
	extratime firmware gfx_passthru gfx_passthru_kind hpet hvm_pirq init_seclabel iomem ioports irqs keymap latency localtime
	max_event_channels max_grant_frames max_grant_version max_maptrack_frames mmio_hole ms_vm_genid msr_relaxed nestedhvm
	nomigrate nx on_soft_reset oos opengl p9 passthrough pci pci_msitranslate pci_permissive pci_power_mgmt pci_seize period
	pool pvcalls pvh pvshim pvshim_cmdline pvshim_extra pvshim_path rdm rdm_mem_boundary rtc_timeoffset seclabel
	shadow_memory slice smbios smbios_firmware soundhw spice spice_clipboard_sharing spice_image_compression
	spice_streaming_video spiceagent_mouse spicedisable_ticketing spicehost spicepasswd spiceport spicetls_port
	spiceusbredirection spicevdagent timer_mode tsc_mode usb usbctrl usbdev usbdevice usbversion vdispl vendor_device vfb
	viridian virtio vkb vkb_device vmtrace_buf_kb vncdisplay vnclisten vncpasswd vncunused vnuma vpmu vpt_align vsnd vtpm
	vuart xauthority xen_platform_pci xen_platform_pci_bar_uc xend_suspend_evtchn_compat xenstore_feature_mask
	xenstore_quota`.split(/\s+/),
);
