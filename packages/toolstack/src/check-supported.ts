import { InvalidInputError } from "@bulkhead/base";
import type { EndAction, GuestConfig } from "@bulkhead/xlcfg";
import { isEmulated } from "./device-model/qemu-args.ts";

interface MissingFeature {
	/** The key of the config that asks for it. */
	key: string;
	asked: (config: GuestConfig) => boolean;
	/** What is not built, as the subject of a sentence. */
	what: string;
	remedy: string;
}

const END_ACTIONS: ReadonlySet<EndAction> = new Set([
	"destroy",
	"restart",
	"preserve",
	"coredump-destroy",
	"coredump-restart",
	"rename-restart",
]);
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
	keyed("pvshim", "The PV shim", ({ pvShim }) => pvShim !== undefined),
	keyed("bootloader", "A bootloader", ({ bootloader }) => bootloader !== undefined),
	keyed("firmware", "Booting with pvgrub", ({ bootFirmware }) => bootFirmware !== undefined),
	keyed("smbios", "Setting SMBIOS strings", ({ smbios }) => smbios.length > 0),
	keyed("dm_restrict", "Restricting a device model in domain 0", ({ deviceModel }) => deviceModel?.restrict === true),
	keyed("device_model_user", "A user for the device model", ({ deviceModel }) => deviceModel?.user !== undefined),
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
		asked: hasDisk(({ backendType }) => backendType === "tap" || backendType === "standalone"),
		what: "Backend type tap or standalone (no kernel has blktap any more; the other is a daemon for virtio)",
		remedy: "Leave backendtype= out: what serves the disk follows from its format",
	},
	{
		key: "disk",
		asked: hasDisk(({ backendType, backend }) => backendType === "qdisk" && backend !== undefined),
		what: "Backend type qdisk in another domain",
		remedy: "Leave backendtype= out: another domain serves block devices",
	},
	{
		key: "disk",
		asked: ({ disks, deviceModel, ...config }) =>
			deviceModel?.place === "dom0" &&
			disks.some((disk) => (disk.script ?? disk.backend) !== undefined && isEmulated(disk, config)),
		what: "An emulated disk with a script or a backend in another domain, whose QEMU is in domain 0",
		remedy: "Use a stub domain, or a PV disk (xvde and so on)",
	},
	{
		key: "disk",
		asked: hasDisk(({ specification }) => specification === "virtio"),
		what: "A virtio disk (its backend would have to map all of the guest's memory)",
		remedy: "Leave specification= out",
	},
	{
		key: "disk",
		asked: hasDisk(({ grantUsage }) => grantUsage !== undefined),
		what: "Disk parameter grant_usage, which is about virtio disks",
		remedy: "Leave it out: PV disks always use grants",
	},
	{
		key: "vif",
		asked: ({ nics, deviceModel }) =>
			deviceModel?.place === "dom0" && nics.some(({ type, backend }) => type === "ioemu" && backend !== undefined),
		what: "An emulated network card with its backend in another domain, whose QEMU is in domain 0",
		remedy: "Use a stub domain, or type=vif",
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

	keyed("extratime", "Extra time beyond a reservation", ({ scheduling }) => scheduling?.extratime !== undefined),
	keyed("altp2m_count", "Choosing the number of alternate memory maps", ({ altp2mCount }) => altp2mCount !== undefined),
	keyed("vnuma", "Virtual NUMA", ({ vnuma }) => vnuma.length > 0),
	keyed("mca_caps", "Telling a guest of machine checks", (config) => config.machineCheckCapabilities !== undefined),
	keyed("e820_host", "The host's memory map", ({ e820Host }) => e820Host),
	keyed("rdm", "Reserved memory of devices", ({ rdm }) => rdm !== undefined),
	keyed(
		"rdm_mem_boundary",
		"Reserved memory of devices",
		({ rdmMemoryBoundaryMiB }) => rdmMemoryBoundaryMiB !== undefined,
	),
	keyed(
		"xend_suspend_evtchn_compat",
		"A writable device folder",
		({ xendSuspendEvtchnCompat }) => xendSuspendEvtchnCompat,
	),
	keyed("xenstore_feature_mask", "Choosing xenstore's features", (config) => config.xenstoreFeatureMask !== undefined),
	keyed("xenstore_quota", "A quota of xenstore", ({ xenstoreQuota }) => xenstoreQuota.length > 0),
	{
		key: "seclabel",
		asked: ({ securityLabel, initSecurityLabel }) =>
			securityLabel !== undefined && initSecurityLabel !== undefined && securityLabel !== initSecurityLabel,
		what: "Another security label after the guest is built",
		remedy: "Give only one of seclabel and init_seclabel",
	},

	...(["poweroff", "reboot", "watchdog", "crash"] as const).map(
		(end): MissingFeature => ({
			key: `on_${end}`,
			asked: ({ lifecycle }) => !END_ACTIONS.has(lifecycle[end]),
			what: `An on_${end} of soft-reset, which keeps a domain and makes its device model anew,`,
			remedy: 'Use "restart" or "rename-restart"',
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
