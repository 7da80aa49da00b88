import { uuid } from "@bulkhead/base";
import { ABSENT, type DiskConfig, type GuestConfig, type NicConfig } from "@bulkhead/xlcfg";
import type { HostFacts } from "../src/host-facts.ts";

export const disk = (values: Partial<DiskConfig> = {}): DiskConfig => ({
	vdev: "hda",
	devnum: 768,
	index: 0,
	partition: 0,
	bus: "ide",
	path: "/images/disk.img",
	readOnly: false,
	cdrom: false,
	format: "raw",
	...values,
});

export const cdrom = (values: Partial<DiskConfig> = {}): DiskConfig =>
	disk({ vdev: "hdc", devnum: 5632, index: 2, path: "/images/cd.iso", readOnly: true, cdrom: true, ...values });

export const nic = (values: Partial<NicConfig> = {}): NicConfig => ({
	devid: 0,
	mac: "00:16:3e:01:02:03",
	type: "ioemu",
	model: "e1000",
	bridge: "xenbr0",
	...values,
});

export const hvmConfig = (values: Partial<GuestConfig> = {}): GuestConfig => ({
	...ABSENT,
	version: 2,
	uuid: uuid("11111111-2222-3333-4444-555555555555"),
	name: "linux",
	type: "hvm",
	memoryKiB: 192 * 1024,
	maxMemoryKiB: 192 * 1024,
	vcpus: 1,
	maxVcpus: 1,
	commandLine: "",
	bios: "seabios",
	boot: "c",
	disks: [disk()],
	serials: ["pty"],
	vga: "none",
	videoMemoryKiB: 0,
	nographic: false,
	hdType: "ahci",
	acpi: true,
	lifecycle: {
		poweroff: "destroy",
		reboot: "restart",
		watchdog: "destroy",
		crash: "destroy",
		softReset: "soft-reset",
		deviceModelFailure: "destroy",
	},
	stub: {},
	deviceModel: { place: "stub-domain", restrict: false, args: [], argsHvm: [], argsPv: [] },
	...values,
});

export const pvConfig = (values: Partial<GuestConfig> = {}): GuestConfig =>
	hvmConfig({
		type: "pv",
		kernel: "/boot/vmlinux",
		ramdisk: "/boot/initramfs",
		commandLine: "console=hvc0",
		serials: [],
		stub: undefined,
		deviceModel: undefined,
		...values,
	});

export const facts: HostFacts = {
	firmware: { firmware: "/xen/hvmloader", bios: "/seabios/bios.bin" },
	stub: { kernel: "/stub/vmlinux", ramdisk: "/stub/rootfs.cpio", commandLine: "console=hvc0", memoryKiB: 192 * 1024 },
	stubUuid: uuid("99999999-8888-7777-6666-555555555555"),
	disks: [disk()],
	nics: [],
};
