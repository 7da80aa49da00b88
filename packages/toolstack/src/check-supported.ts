import { InvalidInputError } from "@bulkhead/base";
import { ABSENT, type EndAction, type GuestConfig } from "@bulkhead/xlcfg";

interface MissingFeature {
	/** The key of the config that asks for it. */
	key: string;
	asked: (config: GuestConfig) => boolean;
	/** What is not built, as the subject of a sentence. */
	what: string;
	remedy: string;
}

const END_ACTIONS: ReadonlySet<EndAction> = new Set(["destroy", "restart", "preserve"]);
const BUILT_SERIALS: ReadonlySet<string> = new Set(["pty", "none"]);

const hasDisk =
	(matches: (disk: GuestConfig["disks"][number]) => boolean) =>
	({ disks }: GuestConfig): boolean =>
		disks.some(matches);
const remove = (key: string): string => `Remove ${key}`;
/** A feature that a key alone asks for. */
const keyed = (key: string, what: string, asked: MissingFeature["asked"]): MissingFeature => ({
	key,
	what,
	asked,
	remedy: remove(key),
});

/**
 * What a config may say and this toolstack does not build. Whoever builds a feature removes its row: nothing that a
 * config asks for is ever left out without a word.
 */
export const MISSING_FEATURES: readonly MissingFeature[] = [
	{ key: "type", asked: ({ type }) => type === "pvh", what: "A PVH guest", remedy: 'Use type = "pv" or "hvm"' },
	keyed("pvshim", "The PV shim", ({ pvShim }) => pvShim !== undefined),
	keyed("bootloader", "A bootloader", ({ bootloader }) => bootloader !== undefined),
	keyed("firmware", "Booting with pvgrub", ({ bootFirmware }) => bootFirmware !== undefined),
	keyed("smbios_firmware", "Handing over SMBIOS tables", ({ smbiosFirmware }) => smbiosFirmware !== undefined),
	keyed("acpi_firmware", "Handing over ACPI tables", ({ acpiFirmware }) => acpiFirmware !== undefined),
	keyed("smbios", "Setting SMBIOS strings", ({ smbios }) => smbios.length > 0),
	keyed(
		"device_model_stubdomain_seclabel",
		"A label of the stub domain",
		({ stub }) => stub?.securityLabel !== undefined,
	),
	keyed(
		"device_model_args_pv",
		"Passing device_model_args_pv",
		({ deviceModel }) => (deviceModel?.argsPv.length ?? 0) > 0,
	),

	{
		key: "disk",
		asked: hasDisk(({ format }) => format !== "raw"),
		what: "A disk that is not raw",
		remedy: "Convert it: qemu-img convert -O raw",
	},
	{
		key: "disk",
		asked: hasDisk(({ backendType }) => backendType !== undefined && backendType !== "phy"),
		what: "Another disk backend than phy",
		remedy: "Leave backendtype= out: phy serves block devices and raw files",
	},
	{
		key: "disk",
		asked: hasDisk(({ backend }) => backend !== undefined),
		what: "A disk backend in another domain",
		remedy: "Leave backend= out",
	},
	{
		key: "disk",
		asked: hasDisk(({ script }) => script !== undefined),
		what: "A disk script",
		remedy: "Attach the block device first and name its path",
	},
	{
		key: "disk",
		asked: hasDisk(({ specification }) => specification === "virtio"),
		what: "A virtio disk",
		remedy: "Leave specification= out",
	},
	{
		key: "disk",
		asked: hasDisk(({ directIoSafe }) => directIoSafe === true),
		what: "Disk parameter direct-io-safe",
		remedy: "Leave it out",
	},
	{
		key: "disk",
		asked: hasDisk(({ discard }) => discard === false),
		what: "Disk parameter no-discard",
		remedy: "Leave it out",
	},
	{
		key: "disk",
		asked: hasDisk(({ trusted }) => trusted === false),
		what: "Disk parameter untrusted",
		remedy: "Leave it out",
	},
	{
		key: "disk",
		asked: hasDisk(({ grantUsage }) => grantUsage !== undefined),
		what: "Disk parameter grant_usage",
		remedy: "Leave it out",
	},

	{
		key: "serial",
		asked: ({ serials, deviceModel }) =>
			deviceModel?.place === "stub-domain" && serials.some((serial) => !BUILT_SERIALS.has(serial)),
		what: 'A serial port other than "pty" and "none" in a stub domain',
		remedy: 'Use "pty", or device_model_stubdomain_override = 0',
	},
	keyed("channel", "A channel", ({ channels }) => channels.length > 0),
	keyed("vfb", "A PV frame buffer", ({ frameBuffers }) => frameBuffers.length > 0),
	keyed("vkb", "A PV keyboard", ({ keyboards }) => keyboards.length > 0),
	keyed("pci", "A PCI device", ({ pci }) => pci.length > 0),
	keyed("usbctrl", "A USB controller", ({ usbControllers }) => usbControllers.length > 0),
	keyed("usbdev", "A USB device", ({ usbDevices }) => usbDevices.length > 0),
	keyed("p9", "A 9pfs share", ({ p9 }) => p9.length > 0),
	keyed("vtpm", "A TPM", ({ vtpms }) => vtpms.length > 0),
	keyed("pvcalls", "A PV calls device", ({ pvCalls }) => pvCalls.length > 0),
	keyed("vsnd", "A PV sound card", ({ sounds }) => sounds.length > 0),
	keyed("vdispl", "A PV display", ({ displays }) => displays.length > 0),
	keyed("virtio", "A virtio device", ({ virtio }) => virtio.length > 0),
	keyed(
		"xen_platform_pci_bar_uc",
		"The caching of the platform device's memory",
		({ xenPlatformPciBarUncached }) => xenPlatformPciBarUncached !== undefined,
	),
	keyed("gfx_passthru", "Handing over a graphics card", ({ gfxPassthru }) => gfxPassthru !== undefined),

	{
		key: "maxmem",
		asked: (config) => config.maxMemoryKiB !== config.memoryKiB,
		what: "A maxmem other than memory",
		remedy: remove("maxmem"),
	},
	{
		key: "maxvcpus",
		asked: (config) => config.maxVcpus !== config.vcpus,
		what: "A maxvcpus other than vcpus",
		remedy: remove("maxvcpus"),
	},
	keyed("cpus", "Pinning vcpus", ({ cpus }) => cpus !== undefined),
	keyed("cpus_soft", "A soft affinity of vcpus", ({ cpusSoft }) => cpusSoft !== undefined),
	keyed("cpu_weight", "Setting scheduling parameters", ({ scheduling }) => scheduling !== undefined),
	{
		key: "pool",
		asked: ({ pool }) => pool !== undefined && pool !== "Pool-0",
		what: "Another cpupool than Pool-0",
		remedy: remove("pool"),
	},
	keyed("cpuid", "A cpuid policy", ({ cpuid }) => cpuid.length > 0),
	keyed("nestedhvm", "Nested virtualization", ({ nestedHvm }) => nestedHvm),
	keyed(
		"altp2m",
		"Alternate memory maps (altp2m)",
		({ altp2m, altp2mCount }) => altp2m !== undefined || altp2mCount !== undefined,
	),
	keyed("tsc_mode", "A mode of the time stamp counter", ({ tscMode }) => tscMode !== undefined),
	keyed("timer_mode", "A mode of the emulated timers", ({ timerMode }) => timerMode !== undefined),
	keyed("localtime", "A clock in local time", ({ localtime }) => localtime),
	keyed("rtc_timeoffset", "An offset of the clock", ({ rtcTimeOffsetSeconds }) => rtcTimeOffsetSeconds !== 0),
	keyed("shadow_memory", "Choosing the paging memory", ({ shadowMemoryKiB }) => shadowMemoryKiB !== undefined),
	keyed("mmio_hole", "Choosing the MMIO hole", ({ mmioHoleMiB }) => mmioHoleMiB !== undefined),
	keyed("viridian", "Hyper-V interfaces", ({ viridian }) => viridian.length > 0),
	keyed("ms_vm_genid", "A generation id", ({ vmGenerationId }) => vmGenerationId !== undefined),
	keyed("vnuma", "Virtual NUMA", ({ vnuma }) => vnuma.length > 0),
	...(["apic", "pae", "nx", "hpet"] as const).map((key) =>
		keyed(key, `A guest without ${key}`, (config) => !config[key]),
	),
	keyed("vpt_align", "Timers that are not aligned", ({ vptAlign }) => vptAlign !== ABSENT.vptAlign),
	keyed("acpi_s3", "A guest without ACPI S3", ({ acpiS3 }) => acpiS3 !== ABSENT.acpiS3),
	keyed("acpi_s4", "A guest without ACPI S4", ({ acpiS4 }) => acpiS4 !== ABSENT.acpiS4),
	keyed("acpi_laptop_slate", "ACPI's laptop and slate", ({ acpiLaptopSlate }) => acpiLaptopSlate),
	keyed("hap", "A guest without hap", ({ hap }) => hap === false),
	keyed("oos", "Setting oos", ({ oos }) => oos !== undefined),
	keyed("hvm_pirq", "Interrupts over event channels (hvm_pirq)", ({ hvmPirq }) => hvmPirq === true),
	keyed("mca_caps", "Telling a guest of machine checks", (config) => config.machineCheckCapabilities !== undefined),
	keyed("msr_relaxed", "Relaxed MSRs", ({ msrRelaxed }) => msrRelaxed),
	keyed("vpmu", "Performance counters (vpmu)", ({ vpmu }) => vpmu),
	keyed("e820_host", "The host's memory map", ({ e820Host }) => e820Host),
	keyed("nomigrate", "An invariant time stamp counter (nomigrate)", ({ nomigrate }) => nomigrate),
	keyed("passthrough", "IOMMU mappings", ({ passthrough }) => passthrough !== undefined && passthrough !== "disabled"),
	keyed("rdm", "Reserved memory of devices", ({ rdm }) => rdm !== undefined),
	keyed(
		"rdm_mem_boundary",
		"Reserved memory of devices",
		({ rdmMemoryBoundaryMiB }) => rdmMemoryBoundaryMiB !== undefined,
	),
	keyed("driver_domain", "A driver domain", ({ driverDomain }) => driverDomain),
	keyed(
		"xend_suspend_evtchn_compat",
		"A writable device folder",
		({ xendSuspendEvtchnCompat }) => xendSuspendEvtchnCompat,
	),
	keyed("max_grant_frames", "A limit of grant frames", ({ maxGrantFrames }) => maxGrantFrames !== undefined),
	keyed(
		"max_maptrack_frames",
		"A limit of maptrack frames",
		({ maxMaptrackFrames }) => maxMaptrackFrames !== undefined,
	),
	keyed("max_grant_version", "A version of grant tables", ({ maxGrantVersion }) => maxGrantVersion !== undefined),
	keyed("max_event_channels", "A limit of event channels", ({ maxEventChannels }) => maxEventChannels !== undefined),
	keyed("vmtrace_buf_kb", "Tracing (vmtrace)", ({ vmtraceBufferKiB }) => vmtraceBufferKiB !== undefined),
	keyed("ioports", "Access to I/O ports", ({ ioPorts }) => ioPorts.length > 0),
	keyed("irqs", "Access to interrupts", ({ irqs }) => irqs.length > 0),
	keyed("iomem", "Access to I/O memory", ({ ioMemory }) => ioMemory.length > 0),
	keyed("xenstore_feature_mask", "Choosing xenstore's features", (config) => config.xenstoreFeatureMask !== undefined),
	keyed("xenstore_quota", "A quota of xenstore", ({ xenstoreQuota }) => xenstoreQuota.length > 0),
	keyed("seclabel", "A security label", ({ securityLabel }) => securityLabel !== undefined),
	keyed("init_seclabel", "A security label", ({ initSecurityLabel }) => initSecurityLabel !== undefined),

	...(["poweroff", "reboot", "watchdog", "crash"] as const).map(
		(end): MissingFeature => ({
			key: `on_${end}`,
			asked: ({ lifecycle }) => !END_ACTIONS.has(lifecycle[end]),
			what: `An on_${end} other than destroy, restart and preserve`,
			remedy: 'Use "destroy", "restart" or "preserve"',
		}),
	),
	{
		key: "on_soft_reset",
		asked: ({ lifecycle }) => lifecycle.softReset !== "soft-reset",
		what: "An on_soft_reset other than soft-reset",
		remedy: remove("on_soft_reset"),
	},
];

/** @throws InvalidInputError, code "unsupported-feature", naming everything that is asked for and not built */
export function checkSupported(config: GuestConfig): void {
	const missing = MISSING_FEATURES.filter(({ asked }) => asked(config));
	const [first, ...more] = missing;
	if (!first) return;
	const also = more.length === 0 ? "" : ` (nor: ${more.map(({ key }) => key).join(", ")})`;
	throw new InvalidInputError(
		`${first.what} (${first.key}) is not supported yet${also}`,
		{
			remedy: missing.map(({ key, remedy }) => `${key}: ${remedy}`).join("; "),
			fields: { features: missing.map(({ key, what, remedy }) => ({ key, what, remedy })) },
		},
		"unsupported-feature",
	);
}
