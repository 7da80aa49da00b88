import type { Uuid } from "@bulkhead/base";

/** The version of GuestConfig's stored form; guestConfigFromJson refuses others. */
export const GUEST_CONFIG_VERSION = 1;

/** What becomes of a guest that ended by itself. */
export type EndAction = "destroy" | "restart" | "preserve";

/** What becomes of a guest whose stub domain's QEMU, or whole stub domain, died under it. */
export type DeviceModelFailureAction = "destroy" | "preserve" | "pause";

/** The bus that a disk's virtual device name chooses: hd*, sd*, xvd*. */
export type DiskBus = "ide" | "scsi" | "xen";

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
	/** Absolute path of a file or block device; undefined for a CD drive without a medium. */
	path?: string;
	readOnly: boolean;
	cdrom: boolean;
	format: "raw";
}

/** What the config says about the stub domain. Undefined: as the installation has it. */
export interface StubConfig {
	kernel?: string;
	ramdisk?: string;
	memoryKiB?: number;
	commandLine?: string;
}

/**
 * One guest, complete and checked: plain JSON, every default filled in but those of the installation (paths of
 * firmware and stub images), every path absolute.
 */
export interface GuestConfig {
	version: typeof GUEST_CONFIG_VERSION;
	uuid: Uuid;
	/** See guestNameProblem. */
	name: string;
	type: "hvm" | "pv";
	/** Video memory included, as xl counts. */
	memoryKiB: number;
	vcpus: number;
	/** PV only, and then present: the guest's kernel. */
	kernel?: string;
	/** PV only. */
	ramdisk?: string;
	/** PV only: the kernel's command line, made of cmdline, or of root and extra. Empty for HVM. */
	commandLine: string;
	/** HVM: which firmware hvmloader starts. */
	bios: "seabios";
	/** HVM: a file to use in place of the installed BIOS. */
	biosPathOverride?: string;
	/** HVM: a file to use in place of the installed hvmloader. */
	firmwareOverride?: string;
	/** HVM: letters a, c, d, n in the order of trial. */
	boot: string;
	disks: DiskConfig[];
	/** HVM: the emulated serial ports, first COM1. */
	serials: "pty"[];
	vga: "none" | "stdvga" | "cirrus";
	/** 0 with vga "none" and for PV. */
	videoMemoryKiB: number;
	/** HVM: QEMU's -nographic. */
	nographic: boolean;
	/** HVM: which controller emulated disks hang on. */
	hdType: "ide" | "ahci";
	acpi: boolean;
	lifecycle: {
		poweroff: EndAction;
		reboot: EndAction;
		watchdog: EndAction;
		crash: EndAction;
		deviceModelFailure: DeviceModelFailureAction;
	};
	/** Present for HVM: its device model runs in a stub domain. */
	stub?: StubConfig;
	/** HVM: further arguments of QEMU, verbatim. */
	deviceModelArgs: string[];
}
