import type { GuestConfig } from "./guest-config.ts";

type Absent = Pick<
	GuestConfig,
	| "smbios"
	| "nics"
	| "channels"
	| "frameBuffers"
	| "keyboards"
	| "pci"
	| "usbControllers"
	| "usbDevices"
	| "p9"
	| "vtpms"
	| "pvCalls"
	| "sounds"
	| "displays"
	| "virtio"
	| "xenPlatformPci"
	| "pvKeyboard"
	| "cpuid"
	| "nestedHvm"
	| "localtime"
	| "rtcTimeOffsetSeconds"
	| "viridian"
	| "vnuma"
	| "acpiS3"
	| "acpiS4"
	| "acpiLaptopSlate"
	| "apic"
	| "pae"
	| "nx"
	| "hpet"
	| "vptAlign"
	| "msrRelaxed"
	| "vpmu"
	| "e820Host"
	| "nomigrate"
	| "driverDomain"
	| "xendSuspendEvtchnCompat"
	| "ioPorts"
	| "irqs"
	| "ioMemory"
	| "xenstoreQuota"
>;

/**
 * What a config that says nothing of these means (libxl: libxl__domain_build_info_setdefault): no such devices, and the
 * platform that guests know.
 */
export const ABSENT: Absent = {
	smbios: [],
	nics: [],
	channels: [],
	frameBuffers: [],
	keyboards: [],
	pci: [],
	usbControllers: [],
	usbDevices: [],
	p9: [],
	vtpms: [],
	pvCalls: [],
	sounds: [],
	displays: [],
	virtio: [],
	xenPlatformPci: true,
	pvKeyboard: true,
	cpuid: [],
	nestedHvm: false,
	localtime: false,
	rtcTimeOffsetSeconds: 0,
	viridian: [],
	vnuma: [],
	acpiS3: true,
	acpiS4: true,
	acpiLaptopSlate: false,
	apic: true,
	pae: true,
	nx: true,
	hpet: true,
	vptAlign: true,
	msrRelaxed: false,
	vpmu: false,
	e820Host: false,
	nomigrate: false,
	driverDomain: false,
	xendSuspendEvtchnCompat: false,
	ioPorts: [],
	irqs: [],
	ioMemory: [],
	xenstoreQuota: [],
};
