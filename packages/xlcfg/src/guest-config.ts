import type { Uuid } from "@bulkhead/base";

/** The version of GuestConfig's stored form; guestConfigFromJson refuses others, and lifts version 1. */
export const GUEST_CONFIG_VERSION = 2;

export type GuestType = "hvm" | "pvh" | "pv";

/** What becomes of a guest that ended by itself. */
export type EndAction =
	| "destroy"
	| "restart"
	| "rename-restart"
	| "preserve"
	| "coredump-destroy"
	| "coredump-restart"
	| "soft-reset";

/** What becomes of a guest whose stub domain's QEMU, or whole stub domain, died under it. */
export type DeviceModelFailureAction = "destroy" | "preserve" | "pause";

/** The bus that a disk's virtual device name chooses: hd*, sd*, xvd*. */
export type DiskBus = "ide" | "scsi" | "xen";

export type DiskFormat = "raw" | "qcow" | "qcow2" | "vhd" | "qed";

/** Name or number of the domain whose driver serves a device; undefined: domain 0. */
export type BackendDomain = string;

export interface DiskConfig {
	/** The name that the guest's owner gave: "hda", "sdb", "xvdc", "xvda1". */
	vdev: string;
	/** The number of the virtual device in xenstore (stub-domain.md §10). */
	devnum: number;
	/** Which disk on its bus: hdc is 2. */
	index: number;
	/** 0 for a whole disk. */
	partition: number;
	bus: DiskBus;
	/**
	 * Absolute path of a file or block device; undefined for a CD drive without a medium. With `script`: what the
	 * script takes ("nbd://…", "iqn…").
	 */
	path?: string;
	readOnly: boolean;
	cdrom: boolean;
	format: DiskFormat;
	backend?: BackendDomain;
	/** Which kind of backend the config asks for; undefined: whichever serves the format. */
	backendType?: "phy" | "qdisk" | "tap" | "standalone";
	/** A virtio disk in place of a PV one. */
	specification?: "virtio";
	/** Virtio: false: the backend maps the guest's memory without grants. */
	grantUsage?: boolean;
	/** A block script that makes a device of `path`: an absolute path, or a name in Xen's script folder. */
	script?: string;
	directIoSafe?: boolean;
	/** false: TRIM requests are refused. Undefined: on where it can be. */
	discard?: boolean;
	/** false: the guest's frontend shall not trust the backend. */
	trusted?: boolean;
}

/** A network interface (xl-network-configuration(5)). */
export interface NicConfig {
	/** Number of the virtual device: its place in the list. */
	devid: number;
	/** Six bytes in lower-case hex with colons. Drawn from 00:16:3e once and kept when the config gave none. */
	mac: string;
	/** HVM: "ioemu" has an emulated card beside the PV interface. */
	type: "ioemu" | "vif";
	/** QEMU's name of the emulated card: "e1000", "rtl8139". */
	model: string;
	/** The bridge that the backend joins; undefined: the host's default. */
	bridge?: string;
	/** A hot-plug script that sets the interface up; undefined: Bulkhead itself joins it to the bridge. */
	script?: string;
	/** Addresses for scripts that route, separated by spaces. */
	ip?: string;
	gatewayDevice?: string;
	/** Name of the interface in the backend's domain; undefined: vif<domid>.<devid>. */
	interfaceName?: string;
	mtu?: number;
	backend?: BackendDomain;
	/** At most `bytes` in every `intervalUs`. */
	rate?: { bytes: number; intervalUs: number };
	/** 802.1Q tag; for scripts and bridges that know it. */
	vlan?: string;
	trusted?: boolean;
}

/** What the config says about the stub domain. Undefined: as the installation has it. */
export interface StubConfig {
	kernel?: string;
	ramdisk?: string;
	memoryKiB?: number;
	commandLine?: string;
	securityLabel?: string;
}

/** Where an HVM guest's QEMU runs, and how it is spoken to. */
export interface DeviceModelConfig {
	/**
	 * "stub-domain": QEMU in a Linux stub domain (dm-argv). "minios": the older protocol (dmargs). "dom0": a process
	 * of domain 0.
	 */
	place: "stub-domain" | "minios" | "dom0";
	/** dom0: another QEMU binary. */
	binary?: string;
	/** dom0: run as this user, or restricted (depriv.md). */
	user?: string;
	restrict: boolean;
	/** Further arguments of QEMU, verbatim: before the machine … */
	args: string[];
	/** … and after it, by the guest's type. */
	argsHvm: string[];
	argsPv: string[];
}

/** A set of physical cpus or NUMA nodes as xl words it, in the order given: "0-3,^2", "node:1". */
export type CpuSet = string;

export interface SchedulingConfig {
	weight?: number;
	cap?: number;
	periodUs?: number;
	budgetUs?: number;
	extratime?: boolean;
}

export interface VncConfig {
	listen: string;
	display: number;
	/** Take the next free display. */
	findUnused: boolean;
	password?: string;
}

export interface SdlConfig {
	opengl: boolean;
	display?: string;
	xauthority?: string;
}

export interface SpiceConfig {
	port?: number;
	tlsPort?: number;
	host?: string;
	disableTicketing: boolean;
	password?: string;
	agentMouse: boolean;
	vdagent: boolean;
	clipboardSharing: boolean;
	/** 0 to 4 redirected USB devices. */
	usbRedirection: number;
	imageCompression?: string;
	streamingVideo?: string;
}

/** A PV frame buffer with its keyboard. */
export interface FrameBufferConfig {
	vnc?: VncConfig;
	sdl?: SdlConfig;
	keymap?: string;
}

/** A named stream between host and guest (channels.md). `channelEndpoint` tells where its end on the host is. */
export interface ChannelConfig {
	name: string;
	/** "pty", "socket" (with `path`), or an address: "unix:…", "tcp:…", "tls:…". */
	connection: string;
	path?: string;
	backend?: BackendDomain;
}

export interface PciDeviceConfig {
	/** "0000:03:00.0" in lower case; function "*" for all. "" when the device has a name. */
	address: string;
	/** Virtual slot of the guest. */
	slot?: number;
	permissive: boolean;
	msiTranslate: boolean;
	powerManagement: boolean;
	/** Take the device from its driver when it is not assignable yet. */
	seize: boolean;
	rdmPolicy?: "strict" | "relaxed";
	/** Its name in the list of assignable devices; the address is "" then. */
	name?: string;
}

/**
 * Devices whose keys are carried as given: key → value, checked for names and shapes. A sound card's are the places of
 * its parts: { "0": "card, short-name=Main", "1": "pcm, name=dev1", "2": "stream, unique-id=0, type=p" }.
 */
export type KeyedDeviceConfig = Readonly<Record<string, string>>;

/**
 * One guest, complete and checked: plain JSON, every default filled in but those of the installation (paths of
 * firmware and stub images), every path absolute. An optional field that is absent means: as Xen or libxl has it.
 */
export interface GuestConfig {
	version: typeof GUEST_CONFIG_VERSION;
	uuid: Uuid;
	/** See guestNameProblem. */
	name: string;
	type: GuestType;
	/** What the guest starts with. Video memory included, as xl counts. */
	memoryKiB: number;
	/** What the guest may grow to; equal to memoryKiB unless maxmem says more. */
	maxMemoryKiB: number;
	/** Online at start. */
	vcpus: number;
	maxVcpus: number;
	/** PV and PVH: the guest's kernel. HVM: booted by QEMU in place of a disk. */
	kernel?: string;
	ramdisk?: string;
	/** The kernel's command line, made of cmdline, or of root and extra. Empty without a kernel. */
	commandLine: string;
	/** PV and PVH: a program that finds the kernel on the guest's disk. */
	bootloader?: { path: string; args: string[]; restrict?: boolean; user?: string };
	/** PV and PVH: an installed boot program in place of a kernel. */
	bootFirmware?: "pvgrub32" | "pvgrub64";
	/** PVH: the guest runs in Xen's PV shim. */
	pvShim?: { path?: string; commandLine: string };
	/** HVM: which firmware hvmloader starts. */
	bios: "seabios" | "ovmf" | "rombios";
	/** HVM: a file to use in place of the installed BIOS. */
	biosPathOverride?: string;
	/** HVM: a file to use in place of the installed hvmloader. */
	firmwareOverride?: string;
	/** HVM: letters a, c, d, n in the order of trial. */
	boot: string;
	/** HVM: tables handed to hvmloader. */
	smbiosFirmware?: string;
	acpiFirmware?: string;
	/** HVM: SMBIOS strings, each "key=value". */
	smbios: string[];

	disks: DiskConfig[];
	nics: NicConfig[];
	/**
	 * HVM: the emulated serial ports, first COM1. "pty": a console of the stub domain with a pty. "none": no port, though
	 * others follow. With QEMU in domain 0 also any value of QEMU's -serial.
	 */
	serials: string[];
	channels: ChannelConfig[];
	frameBuffers: FrameBufferConfig[];
	keyboards: KeyedDeviceConfig[];
	pci: PciDeviceConfig[];
	usbControllers: KeyedDeviceConfig[];
	usbDevices: KeyedDeviceConfig[];
	p9: KeyedDeviceConfig[];
	vtpms: KeyedDeviceConfig[];
	pvCalls: KeyedDeviceConfig[];
	sounds: KeyedDeviceConfig[];
	displays: KeyedDeviceConfig[];
	virtio: KeyedDeviceConfig[];

	vga: "none" | "stdvga" | "cirrus" | "qxl";
	/** 0 with vga "none" and for other types than HVM. */
	videoMemoryKiB: number;
	/** HVM: QEMU's -nographic. */
	nographic: boolean;
	vnc?: VncConfig;
	sdl?: SdlConfig;
	spice?: SpiceConfig;
	keymap?: string;
	/** HVM: which controller emulated disks hang on. */
	hdType: "ide" | "ahci";
	/** HVM: QEMU's emulated USB: an old-style controller with its devices, or a controller of that version. */
	usb?: { devices: string[]; version?: 1 | 2 | 3 };
	soundHardware?: string;
	/** HVM: the platform device by which PV drivers announce themselves; without it QEMU's machine is "pc". */
	xenPlatformPci: boolean;
	/** Whether the guest maps the platform device's memory uncached; undefined: as Xen has it. */
	xenPlatformPciBarUncached?: boolean;
	vendorDevice?: "xenserver";
	/** HVM: a PV keyboard beside the emulated one. */
	pvKeyboard: boolean;
	gfxPassthru?: "on" | "igd";

	/** The first set is of vcpu 0, and so on; vcpus beyond the list run anywhere. Absent: Xen's defaults. */
	cpus?: CpuSet[];
	cpusSoft?: CpuSet[];
	scheduling?: SchedulingConfig;
	pool?: string;
	/** Each an xl cpuid setting, unchanged: "host,tm=0" or "0x1:ecx=…". */
	cpuid: string[];
	nestedHvm: boolean;
	altp2m?: "mixed" | "external" | "limited";
	altp2mCount?: number;
	tscMode?: "always_emulate" | "native";
	timerMode?:
		| "delay_for_missed_ticks"
		| "no_delay_for_missed_ticks"
		| "no_missed_ticks_pending"
		| "one_missed_tick_pending";
	localtime: boolean;
	rtcTimeOffsetSeconds: number;
	shadowMemoryKiB?: number;
	mmioHoleMiB?: number;
	/** Hyper-V interfaces: names as xl has them, in order; "!" takes one away. */
	viridian: string[];
	vmGenerationId?: "generate";
	/** Virtual NUMA nodes, each a list of "key=value". */
	vnuma: string[][];

	/** Platform flags. */
	acpi: boolean;
	acpiS3: boolean;
	acpiS4: boolean;
	acpiLaptopSlate: boolean;
	apic: boolean;
	pae: boolean;
	nx: boolean;
	hpet: boolean;
	vptAlign: boolean;
	hap?: boolean;
	oos?: boolean;
	hvmPirq?: boolean;
	/** HVM: what the guest learns of the machine's errors. */
	machineCheckCapabilities?: "lmce"[];
	msrRelaxed: boolean;
	vpmu: boolean;
	e820Host: boolean;
	nomigrate: boolean;
	passthrough?: "disabled" | "enabled" | "sync_pt" | "share_pt";
	rdm?: { strategy: "ignore" | "host"; policy: "strict" | "relaxed" };
	rdmMemoryBoundaryMiB?: number;
	driverDomain: boolean;
	xendSuspendEvtchnCompat: boolean;
	maxGrantFrames?: number;
	maxMaptrackFrames?: number;
	maxGrantVersion?: number;
	maxEventChannels?: number;
	vmtraceBufferKiB?: number;
	/** Access to hardware: "3f8-3ff" in hex; "9"; "fed40,5@fed40". */
	ioPorts: string[];
	irqs: number[];
	ioMemory: string[];

	/** What xenstored offers and grants the guest: a mask of features; each "resource=number". */
	xenstoreFeatureMask?: number;
	xenstoreQuota: string[];

	/** FLASK labels, user:role:type. */
	securityLabel?: string;
	initSecurityLabel?: string;

	lifecycle: {
		poweroff: EndAction;
		reboot: EndAction;
		watchdog: EndAction;
		crash: EndAction;
		softReset: EndAction;
		deviceModelFailure: DeviceModelFailureAction;
	};
	/** Present for HVM; PV and PVH: of the QEMU that serves a PV screen, when it is to be other than usual. */
	deviceModel?: DeviceModelConfig;
	/** Present for HVM with a stub domain of either kind. */
	stub?: StubConfig;
}
