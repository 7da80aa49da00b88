import { describe, expect, it } from "vitest";
import type { GuestConfig } from "../src/index.ts";
import { HVM, ID, MAC, PV, parse, problemsOf } from "./guests.ts";

const PVH = 'name = "v"\ntype = "pvh"\nmemory = 64\nkernel = "/k"\n';
type Expected = Partial<GuestConfig>;

const common = { permissive: false, msiTranslate: false, powerManagement: false, seize: false };

describe("keys", () => {
	it.each<[string, string, Expected]>([
		["memory to grow to", `${PV}maxmem = 256`, { memoryKiB: 65_536, maxMemoryKiB: 262_144 }],
		["a maximum alone", 'name="p"\nkernel="/k"\nmaxmem = 256', { memoryKiB: 262_144, maxMemoryKiB: 262_144 }],
		["vcpus to grow to", `${PV}vcpus = 2\nmaxvcpus = 4`, { vcpus: 2, maxVcpus: 4 }],
		["one set for all vcpus", `${PV}vcpus = 2\ncpus = "0-3, ^2"`, { cpus: ["0-3,^2", "0-3,^2"] }],
		["a set for each vcpu", `${PV}vcpus = 3\ncpus = [ "0", 1 ]`, { cpus: ["0", "1"] }],
		["a bootloader", 'name="p"\nmemory=64\nbootloader="pygrub"', { bootloader: { path: "pygrub", args: [] } }],
		["a boot program", 'name="p"\nmemory=64\nfirmware="pvgrub64"', { bootFirmware: "pvgrub64", kernel: undefined }],
		["the PV shim", `${PVH}pvshim = 1\npvshim_extra = "x"`, { pvShim: { commandLine: "pv-shim console=xen,pv x" } }],
		["UEFI", `${HVM}firmware = "uefi"`, { bios: "ovmf" }],
		["a firmware file", `${HVM}firmware = "fw/loader"`, { firmwareOverride: "/base/fw/loader" }],
		["direct boot", `${HVM}kernel = "k"\ncmdline = "c"`, { kernel: "/base/k", commandLine: "c" }],
		[
			"QEMU in domain 0",
			`${HVM}device_model_stubdomain_override = 0\ndm_restrict = 1`,
			{ stub: undefined, deviceModel: { place: "dom0", restrict: true, args: [], argsHvm: [], argsPv: [] } },
		],
		[
			"MiniOS",
			`${HVM}device_model_version = "qemu-xen-traditional"\ndevice_model_stubdomain_override = 1`,
			{ bios: "rombios", stub: {} },
		],
		["a negative number in quotes", `${PV}rtc_timeoffset = "-3600"`, { rtcTimeOffsetSeconds: -3600 }],
		["Hyper-V's flag", `${HVM}viridian = 1`, { viridian: ["defaults"] }],
		["a timer mode's number", `${HVM}timer_mode = 2`, { timerMode: "no_missed_ticks_pending" }],
		["altp2m's old key", `${HVM}altp2mhvm = 1`, { altp2m: "mixed" }],
		[
			"VNC with its display",
			`${HVM}vnclisten = "0.0.0.0:3"`,
			{ vnc: { listen: "0.0.0.0", display: 3, findUnused: true } },
		],
		[
			"a PV screen",
			`${PV}vnc = 1`,
			{ vnc: undefined, frameBuffers: [{ vnc: { listen: "127.0.0.1", display: 0, findUnused: true } }] },
		],
		["serial ports with a gap", `${HVM}serial = [ "none", "pty", "none" ]`, { serials: ["none", "pty"] }],
		["an emulated USB device", `${HVM}usbdevice = "tablet"`, { usb: { devices: ["tablet"] } }],
		["a default interface", `${HVM}vif = [ "" ]`, { nics: [{ devid: 0, mac: MAC, type: "ioemu", model: "rtl8139" }] }],
		[
			"a rate of bits",
			`${PV}vif = [ "rate=10Mb/s" ]`,
			{ nics: [{ devid: 0, mac: MAC, type: "vif", model: "rtl8139", rate: { bytes: 62_500, intervalUs: 50_000 } }] },
		],
		[
			"a backend of a disk",
			`${PV}disk = [ "/x,qcow2,xvda,backend=disks" ]`,
			{
				disks: [
					{
						vdev: "xvda",
						devnum: 51_712,
						index: 0,
						partition: 0,
						bus: "xen",
						path: "/x",
						readOnly: false,
						cdrom: false,
						format: "qcow2",
						backend: "disks",
					},
				],
			},
		],
		[
			"a channel",
			`${PV}channel = [ "name=a.b, connection=socket, path=/run/x=y" ]`,
			{ channels: [{ name: "a.b", connection: "socket", path: "/run/x=y" }] },
		],
		[
			"a PCI device, and defaults of all",
			`${HVM}pci_seize = 1\npci = [ "3:0.1@1f,permissive=1" ]`,
			{ pci: [{ ...common, address: "0000:03:00.1", slot: 31, permissive: true, seize: true }] },
		],
		["a PCI device's name", `${HVM}pci = [ "name=nic" ]`, { pci: [{ ...common, address: "", name: "nic" }] }],
		["what a PCI device of a PV guest needs", `${PV}pci = [ "03:00.0" ]`, { e820Host: true }],
		["a TPM", `${PV}vtpm = [ "backend=tpm,uuid=${ID}" ]`, { vtpms: [{ backend: "tpm", uuid: ID }] }],
	])("read %s", (_, text, expected) => {
		const { config } = parse(text);
		for (const [key, value] of Object.entries(expected)) expect(config[key as keyof GuestConfig]).toEqual(value);
	});

	it.each([
		["a key for Arm", "sve = 1", "5:1: Key sve is for Arm guests, and this is an x86 host"],
		["a key of before", "pvh = 1", "5:1: Key pvh is no key any more"],
		["a backwards range", 'cpus = "3-1"', '5:8: The range 3-1 in "3-1" runs backwards'],
		["a set of nothing", 'cpus = "^1"', '5:8: "^1" takes cpus away from nothing'],
		["more sets than vcpus", 'cpus = [ "0", "1" ]', "5:8: Key cpus has 2 entries for 1 vcpus"],
		["a bad flag of cpuid", 'cpuid = "host,tm"', '5:9: "tm" is no cpuid flag'],
		["a leaf outside a list", 'cpuid = "1:ecx=0x1"', "5:9: A cpuid leaf stands in a list"],
		["a MAC address of five bytes", 'vif = [ "mac=1:2:3:4:5" ]', '5:9: "1:2:3:4:5" is not a MAC address'],
		[
			"a MAC address of a group",
			'vif = [ "mac=01:0:0:0:0:1" ]',
			'5:9: "01:0:0:0:0:1" is the address of a group, not of an interface',
		],
		[
			"one address twice",
			'vif = [ "mac=0:0:0:0:0:1", "mac=00:00:00:00:00:01" ]',
			"5:28: Two network interfaces have the address 00:00:00:00:00:01",
		],
		["an emulated card of a PV guest", 'vif = [ "type=ioemu" ]', "5:9: A PV guest has no emulated network card"],
		[
			"a comma that begins an option of QEMU's",
			'vif = [ "model=e1000 x=y" ]',
			'5:9: "e1000 x=y" is no name of a network card',
		],
		["a misspelt parameter", 'vif = [ "brigde=br0" ]', '5:9: The network interface has no parameter "brigde"'],
		["a rate without a unit", 'vif = [ "rate=10" ]', '5:9: "10" is not a rate'],
		[
			"a long name of an interface",
			'vif = [ "vifname=a234567890123456" ]',
			'5:9: "a234567890123456" is no name of a network interface (vifname)',
		],
		[
			"a channel's relative path",
			'channel = [ "name=a,connection=socket,path=x" ]',
			"5:13: The channel: path is not absolute",
		],
		[
			"two channels of one name",
			'channel = [ "name=a,connection=pty", "name=a,connection=pty" ]',
			"5:38: There are two channels a",
		],
		["a PCI slot twice", 'pci = [ "1:0.0@1", "2:0.0@1" ]', "5:20: Two PCI devices have the slot 1"],
		["a PCI address without a function", 'pci = [ "03:00" ]', '5:9: "03:00" is no address of a PCI device'],
		["COLO", 'disk = [ "/a,raw,xvda,colo" ]', "5:10: Disk parameter colo is for COLO, which Bulkhead does not do"],
		[
			"phy of an image",
			'disk = [ "/a,qcow2,xvda,backendtype=phy" ]',
			"5:10: Backend type phy serves raw disks only, and the format is qcow2",
		],
		["both of a pair", 'disk = [ "/a,raw,xvda,discard,no-discard" ]', "5:10: The disk has both discard and no-discard"],
		["a share without its tag", 'p9 = [ "path=/srv" ]', "5:8: The 9pfs share lacks its tag"],
		["a label without a type", 'seclabel = "a:b"', '5:12: "a:b" is no security label'],
		[
			"a sound card without its card",
			'vsnd = [ [ "pcm, name=a" ] ]',
			"5:10: The sound card begins with one card, and streams follow their pcm",
		],
	])("refuse %s", (_, line, problem) => {
		expect(problemsOf(PV + line)).toContain(`g.cfg:${problem}`);
	});

	it.each([
		[
			"rombios without its device model",
			'bios = "rombios"',
			"4:8: QEMU does not start rombios: only the device model of before did",
		],
		[
			"traditional QEMU in domain 0",
			'device_model_version = "qemu-xen-traditional"',
			"4:24: The device model qemu-xen-traditional runs in a stub domain only",
		],
		["firmware and bios", 'firmware = "uefi"\nbios = "seabios"', "4:12: Keys firmware and bios contradict each other"],
		["SPICE without a port", "spice = 1\nspicedisable_ticketing = 1", "4:9: SPICE needs a port"],
		["SPICE without a password", "spice = 1\nspiceport = 6000", "4:9: SPICE needs a password"],
		["USB in two ways", "usb = 1\nusbversion = 3", "5:14: Key usbversion goes with neither usb nor usbdevice"],
		[
			"a display twice",
			'vnclisten = ":1"\nvncdisplay = 2',
			"4:13: The VNC display is given in vnclisten and in vncdisplay",
		],
		["a kernel's parameters alone", 'extra = "quiet"', "4:9: Key extra of an HVM guest needs a kernel"],
		["a removed mode", 'tsc_mode = "native_paravirt"', "4:12: Xen has no tsc_mode native_paravirt any more"],
		["a small MMIO hole", "mmio_hole = 128", "4:13: Key mmio_hole takes a whole number from 256 to 3840"],
	])("refuse of an HVM guest %s", (_, line, problem) => {
		expect(problemsOf(HVM + line)).toContain(`g.cfg:${problem}`);
	});

	it.each([
		[`${PV}memory = 128`, "g.cfg:5:1: Key memory is given again: this replaces g.cfg:3:1"],
		[`${HVM}stdvga = 1`, 'g.cfg:4:10: Key stdvga is deprecated: write vga = "stdvga"'],
		[`${HVM}device_model = "x"`, "g.cfg:4:16: Key device_model is ignored: another QEMU is device_model_override"],
		[`${HVM}tsc_mode = 1`, 'g.cfg:4:12: A number for tsc_mode is deprecated: write tsc_mode = "always_emulate"'],
		[`${PV}vif = [ "netdev=eth0" ]`, "g.cfg:5:9: Parameter netdev is deprecated: write gatewaydev"],
		[
			`${PV}disk = [ "phy:/a,xvda,w" ]`,
			'g.cfg:5:10: The prefix "phy:" is deprecated: give the path alone, and format= if it is not raw',
		],
		[`${PV}slice = 1`, "g.cfg:5:9: Key slice has no effect: it belonged to a scheduler that Xen removed"],
		[
			`${PV}bootloader = "pygrub"\nbootloader_args = "-q x"`,
			'g.cfg:6:19: A string of arguments is deprecated: write bootloader_args = [ "…", "…" ]',
		],
		[`${PV}boot = "c"`, "g.cfg:5:8: Key boot has no effect on a PV guest"],
		[`${HVM}vfb = [ ]`, "g.cfg:4:7: Key vfb has no effect on an HVM guest"],
		[`${HVM}dm_restrict = 1`, "g.cfg:4:15: Key dm_restrict has no effect on a device model in a stub domain"],
		[`${HVM}vncdisplay = 1\nvnc = 0`, "g.cfg:4:14: Key vncdisplay has no effect without vnc = 1"],
	])("warn of %j", (text, warning) => {
		expect(parse(text).warnings).toContain(warning);
	});

	it("draw an address for an interface without one, once", () => {
		const { nics } = parse(`${PV}vif = [ "" ]`, { makeMac: undefined }).config;
		expect(nics[0]?.mac).toMatch(/^00:16:3e:[0-7][0-9a-f]:[0-9a-f]{2}:[0-9a-f]{2}$/);
	});

	it("do not warn when the command line replaces what the file says", () => {
		expect(parse(PV, { overrides: ["memory=128"] }).warnings).toEqual([]);
	});
});
