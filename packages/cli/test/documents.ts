import type { Guest, GuestDetails, Host, Nic } from "@bulkhead/api/client";
import { uuid } from "@bulkhead/base";
import { ABSENT } from "@bulkhead/xlcfg";

export const ID = uuid("00112233-4455-6677-8899-aabbccddeeff");

export const GUEST: Guest = {
	uuid: ID,
	name: "web",
	domid: 5,
	type: "hvm",
	phase: "running",
	state: "-b----",
	memoryKiB: 512 * 1024,
	vcpus: 2,
	cpuSeconds: 12.34,
	uptimeSeconds: 93_784.9,
	stub: { domid: 6, memoryKiB: 192 * 1024, state: "running" },
	qmp: { status: "running" },
	consoles: [
		{ label: "pv", kind: "pv", ptyPath: "/dev/pts/3", socketPath: "/run/pv.sock" },
		{ label: "stub", kind: "stub", socketPath: "/run/stub.sock" },
		{ label: "serial0", kind: "serial", ptyPath: "/dev/pts/4" },
	],
	createdAt: "2026-11-21T03:00:00.000Z",
};

export const DETAILS: GuestDetails = {
	...GUEST,
	lastEnd: { reason: "reboot", at: "2026-11-21T02:00:00.000Z" },
	config: {
		...ABSENT,
		version: 2,
		uuid: ID,
		name: "web",
		type: "hvm",
		memoryKiB: 512 * 1024,
		maxMemoryKiB: 512 * 1024,
		vcpus: 2,
		maxVcpus: 2,
		commandLine: "",
		bios: "seabios",
		boot: "cda",
		disks: [
			{
				vdev: "hda",
				devnum: 768,
				index: 0,
				partition: 0,
				bus: "ide",
				path: "/srv/web.img",
				readOnly: false,
				cdrom: false,
				format: "raw",
			},
			{
				vdev: "hdc",
				devnum: 5632,
				index: 2,
				partition: 0,
				bus: "ide",
				readOnly: true,
				cdrom: true,
				format: "raw",
			},
		],
		serials: ["pty"],
		vga: "cirrus",
		videoMemoryKiB: 8192,
		nographic: false,
		hdType: "ide",
		acpi: true,
		lifecycle: {
			poweroff: "destroy",
			reboot: "restart",
			watchdog: "destroy",
			crash: "preserve",
			softReset: "soft-reset",
			deviceModelFailure: "destroy",
		},
		stub: {},
		deviceModel: { place: "stub-domain", restrict: false, args: [], argsHvm: [], argsPv: [] },
	},
};

export const HOST: Host = {
	xenVersion: "4.17.7",
	capabilities: ["xen-3.0-x86_64", "hvm-3.0-x86_64"],
	totalKiB: 4096 * 1024,
	freeKiB: 1000 * 1024,
	nrCpus: 2,
	cpuKHz: 2_500_000,
	hvm: true,
	hap: true,
	commandLine: "dom0_mem=1G",
	compiler: "gcc 12",
	daemon: { version: "0.1.0", pid: 42 },
	relay: { connected: true },
};

export const NIC: Nic = {
	devid: 0,
	mac: "00:16:3e:01:02:03",
	type: "vif",
	bridge: "xenbr0",
	interfaceName: "vif5.0",
	backendDomid: 0,
	state: 4,
	eventChannel: 12,
	txRingRef: 768,
	rxRingRef: 769,
	backendPath: "/local/domain/0/backend/vif/5/0",
};
