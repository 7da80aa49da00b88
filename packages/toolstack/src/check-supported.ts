import { InvalidInputError } from "@bulkhead/base";
import type { EndAction, GuestConfig } from "@bulkhead/xlcfg";
import { isEmulated } from "./device-model/qemu-args.ts";

interface MissingFeature {
	/** The key of the config that asks for it. */
	key: string;
	asked: (config: GuestConfig) => boolean;
	/** What is not built, as the subject of a sentence. */
	what: string;
	/** Why it is not, where that is no matter of time. */
	why?: string;
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
const keyed = (key: string, what: string, asked: MissingFeature["asked"], why?: string): MissingFeature => ({
	key,
	what,
	asked,
	...(why !== undefined && { why }),
	remedy: remove(key),
});
const NO_HOLES = "an HVM guest's memory is laid out without regard to the devices that it will have";

/**
 * What a config may say and this toolstack does not build. Whoever builds a feature removes its row: nothing that a
 * config asks for is ever left out without a word.
 */
export const MISSING_FEATURES: readonly MissingFeature[] = [
	{
		key: "pvshim",
		asked: ({ pvShim }) => pvShim !== undefined,
		what: "The PV shim",
		why: "it saves old kernels from being PV guests of the host, and none was at hand to try it with",
		remedy: 'Write type = "pv", or type = "pvh" without it for a kernel that has a PVH entry',
	},
	{
		key: "bootloader",
		asked: ({ bootloader }) => bootloader !== undefined,
		what: "A bootloader",
		why: "it would read the guest's file system in domain 0, where a mistake in it is an intrusion",
		remedy: 'Write firmware = "pvgrub64": GRUB then does it inside the guest',
	},
	keyed(
		"device_model_args_pv",
		"An argument for a PV guest's QEMU",
		({ type, deviceModel }) => type === "hvm" && (deviceModel?.argsPv.length ?? 0) > 0,
		"an HVM guest has no QEMU of that kind, as libxl starts one beside each stub domain",
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
		why: "there it would be a file, a socket or a device of the stub domain, which has none",
		remedy: 'Use "pty", or device_model_stubdomain_override = 0',
	},
	{
		key: "vfb",
		asked: ({ frameBuffers }) => frameBuffers.length > 1,
		what: "A second PV frame buffer, which QEMU would not show",
		remedy: "Leave one entry in vfb",
	},
	{
		key: "vkb",
		asked: ({ type, keyboards }) => type === "hvm" && keyboards.length > 0,
		what: "A further PV keyboard of an HVM guest",
		remedy: "Remove vkb: QEMU emulates a keyboard",
	},
	{
		key: "vkb",
		asked: ({ keyboards }) => keyboards.some((keyboard) => keyboard["backend-type"] === "linux"),
		what: "A PV keyboard that another program than QEMU serves (no distribution has one)",
		remedy: "Write backend-type=qemu",
	},
	{
		key: "vkb",
		asked: ({ keyboards }) => keyboards.some(({ backend = "0" }) => !["0", "Domain-0"].includes(backend)),
		what: "A PV keyboard served by another domain",
		remedy: "Leave backend= out",
	},
	keyed(
		"p9",
		"A 9pfs share",
		({ p9 }) => p9.length > 0,
		"it is served by a QEMU in domain 0 that opens files of the host as its guest tells it to, and cannot be confined",
	),
	keyed("vtpm", "A TPM", ({ vtpms }) => vtpms.length > 0, "Debian has neither of its two stub domains"),
	keyed(
		"pvcalls",
		"A PV calls device",
		({ pvCalls }) => pvCalls.length > 0,
		"Debian's Linux is built with neither of its drivers",
	),
	keyed("vsnd", "A PV sound card", ({ sounds }) => sounds.length > 0, "no distribution has its backend"),
	keyed("vdispl", "A PV display", ({ displays }) => displays.length > 0, "no distribution has its backend"),
	keyed(
		"virtio",
		"A virtio device",
		({ virtio }) => virtio.length > 0,
		"its backend is a program of the host that Debian does not have",
	),
	keyed(
		"xen_platform_pci_bar_uc",
		"The caching of the platform device's memory",
		({ xenPlatformPciBarUncached }) => xenPlatformPciBarUncached !== undefined,
		"hvmloader knows of it from Xen 4.21 on",
	),
	keyed(
		"gfx_passthru",
		"Handing over a graphics card",
		({ gfxPassthru }) => gfxPassthru !== undefined,
		"it has never been tried on hardware",
	),

	keyed(
		"extratime",
		"Extra time beyond a reservation",
		({ scheduling }) => scheduling?.extratime !== undefined,
		"only the experimental scheduler RTDS has it, and only for each vcpu by itself",
	),
	keyed(
		"altp2m_count",
		"Choosing the number of alternate memory maps",
		({ altp2mCount }) => altp2mCount !== undefined,
		"Xen has it from 4.21 on",
	),
	keyed(
		"vnuma",
		"Virtual NUMA",
		({ vnuma }) => vnuma.length > 0,
		"memory is not placed on the host's nodes here, so nodes of the guest's would mean nothing",
	),
	keyed(
		"mca_caps",
		"Telling a guest of machine checks",
		(config) => config.machineCheckCapabilities !== undefined,
		"it takes a processor with local machine checks, on which it has never been tried",
	),
	keyed("rdm", "Room for devices' reserved memory", ({ rdm }) => rdm !== undefined, NO_HOLES),
	keyed(
		"rdm_mem_boundary",
		"Room for devices' reserved memory",
		({ rdmMemoryBoundaryMiB }) => rdmMemoryBoundaryMiB !== undefined,
		NO_HOLES,
	),
	keyed(
		"xend_suspend_evtchn_compat",
		"A writable device folder",
		({ xendSuspendEvtchnCompat }) => xendSuspendEvtchnCompat,
		"only guests of xend's time needed to write there",
	),
	keyed(
		"xenstore_feature_mask",
		"Choosing xenstore's features",
		(config) => config.xenstoreFeatureMask !== undefined,
		"xenstored knows of it from Xen 4.21 on",
	),
	keyed(
		"xenstore_quota",
		"A quota of xenstore of the guest's own",
		({ xenstoreQuota }) => xenstoreQuota.length > 0,
		"xenstored of Xen 4.20 and older has the same for every guest",
	),
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
		`${first.what} (${first.key}) is not supported${first.why === undefined ? " yet" : `: ${first.why}`}${also}`,
		{
			remedy: missing.map(({ key, remedy }) => `${key}: ${remedy}`).join("; "),
			fields: { features: missing.map(({ key, what, why, remedy }) => ({ key, what, why, remedy })) },
		},
		"unsupported-feature",
	);
}
