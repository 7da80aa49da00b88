import { domId } from "@bulkhead/base";
import type { GuestConfig, NicConfig } from "@bulkhead/xlcfg";
import { describe, expect, it } from "vitest";
import { qemuArgs, stubQemuArgs } from "../src/device-model/qemu-args.ts";
import { cdrom, disk, hvmConfig } from "./fixtures.ts";

type Values = Partial<GuestConfig>;
const guest = domId(7);
const inStub = (values: Values): string => stubQemuArgs(hvmConfig(values), guest).join(" ");
const inDom0 = (values: Values): string =>
	qemuArgs(hvmConfig(values), { kind: "dom0", guest, qmpSocket: "/run/q/qmp", statisticsSocket: "/run/xen/stat" }).join(
		" ",
	);

const nic: NicConfig = { devid: 0, mac: "00:16:3e:01:02:03", type: "ioemu", model: "e1000", bridge: "xenbr0" };
const vnc = { listen: "", display: 0, findUnused: false };

describe("qemuArgs", () => {
	it("lists what libxl would for a stub domain, with paths inside it", () => {
		expect(inStub({})).toBe(
			"-xen-domid 7 -no-shutdown -nodefaults -no-user-config -name linux -display none -serial /dev/hvc3 " +
				"-boot order=c -net none -machine xenfv,suppress-vmdesc=on -m 192 -device ahci,id=ahci0 " +
				"-drive file=/dev/xvda,if=none,id=ahcidisk-0,format=host_device,cache=writeback " +
				"-device ide-hd,bus=ahci0.0,unit=0,drive=ahcidisk-0",
		);
	});

	it("lists what libxl would for domain 0, with monitors, screens and the files themselves", () => {
		expect(inDom0({ vnc, disks: [disk(), cdrom()], hdType: "ide", vga: "cirrus", videoMemoryKiB: 8192 })).toBe(
			"-xen-domid 7 -no-shutdown " +
				"-chardev socket,id=libxl-cmd,path=/run/q/qmp,server=on,wait=off -mon chardev=libxl-cmd,mode=control " +
				"-chardev socket,id=libxenstat-cmd,path=/run/xen/stat,server=on,wait=off -mon chardev=libxenstat-cmd,mode=control " +
				"-nodefaults -no-user-config -name linux -vnc 127.0.0.1:0 -display none -serial pty " +
				"-device cirrus-vga,vgamem_mb=8 -boot order=c -net none -machine xenfv,suppress-vmdesc=on -m 184 " +
				"-drive file=/images/disk.img,if=ide,index=0,media=disk,format=raw,cache=writeback " +
				"-drive if=none,readonly=on,id=ide-5632,file=/images/cd.iso,format=raw " +
				"-device ide-cd,id=ide-5632,drive=ide-5632,bus=ide.1,unit=0",
		);
	});

	it("lists everything at once in libxl's order", () => {
		const everything: Values = {
			keymap: "de",
			kernel: "/boot/vmlinuz",
			ramdisk: "/boot/initrd",
			commandLine: "root=/dev/xvda, quiet",
			serials: ["pty", "none", "pty"],
			vga: "qxl",
			videoMemoryKiB: 128 * 1024,
			memoryKiB: 512 * 1024,
			maxMemoryKiB: 1024 * 1024,
			usb: { devices: ["tablet", "mouse"] },
			soundHardware: "hda",
			acpi: false,
			vcpus: 2,
			maxVcpus: 4,
			nics: [nic, { ...nic, devid: 1, type: "vif" }],
			deviceModel: { place: "stub-domain", restrict: false, args: ["-a"], argsHvm: ["-b"], argsPv: [] },
			xenPlatformPci: false,
			mmioHoleMiB: 512,
			gfxPassthru: "igd",
			vendorDevice: "xenserver",
			disks: [disk({ vdev: "sda", devnum: 2048, bus: "scsi", readOnly: true })],
		};
		expect(inStub(everything)).toBe(
			"-xen-domid 7 -no-shutdown -nodefaults -no-user-config -name linux " +
				"-vnc unix:/run/bulkhead-screen.sock,share=force-shared -display none -k de " +
				"-kernel /dev/xvdy -initrd /dev/xvdz -append root=/dev/xvda, quiet -device lsi53c895a " +
				"-serial /dev/hvc3 -serial null -serial /dev/hvc4 -device qxl-vga,vram_size_mb=64,ram_size_mb=64 " +
				"-boot order=c -usb -usbdevice tablet -usbdevice mouse -device intel-hda -device hda-duplex -no-acpi " +
				"-smp 2,maxcpus=4 -device e1000,id=nic0,netdev=net0,mac=00:16:3e:01:02:03 " +
				"-netdev type=tap,id=net0,ifname=vif7.0-emu,script=no,downscript=no -a " +
				"-machine pc,accel=xen,suppress-vmdesc=on,max-ram-below-4g=3758096384,igd-passthru=on -b -m 896 " +
				"-device ahci,id=ahci0 " +
				"-drive file=/dev/xvda,id=scsi0-hd0,format=host_device,if=none,readonly=on,cache=writeback " +
				"-device scsi-hd,drive=scsi0-hd0,scsi-id=0 -device xen-pvdevice,device-id=0xc000",
		);
		const spice = {
			disableTicketing: true,
			agentMouse: true,
			vdagent: true,
			clipboardSharing: false,
			usbRedirection: 1,
		};
		const local = inDom0({
			...everything,
			nographic: true,
			sdl: { opengl: false },
			spice: { ...spice, port: 5900, host: "::1" },
			usb: { devices: [], version: 1 },
		});
		expect(local).toContain("-vnc none -display none -display sdl -k de -kernel /boot/vmlinuz -initrd /boot/initrd ");
		expect(local).not.toContain("-nographic");
		expect(local).toContain(
			"-serial pty -serial null -serial pty -spice port=5900,tls-port=0,addr=::1,disable-ticketing=on,agent-mouse=on," +
				"disable-copy-paste=on -device virtio-serial -chardev spicevmc,id=vdagent,name=vdagent " +
				"-device virtserialport,chardev=vdagent,name=com.redhat.spice.0 -device qxl-vga",
		);
		expect(local).toContain(
			"-device piix3-usb-uhci,id=usb -chardev spicevmc,name=usbredir,id=usbrc0 -device usb-redir,chardev=usbrc0,id=usbrc0",
		);
		expect(local).toContain("ifname=vif7.0-emu,br=xenbr0,script=no");
	});

	it.each<[string, Values, string]>([
		["a listening VNC that picks a display", { vnc: { ...vnc, listen: "::", findUnused: true } }, "-vnc ::,to=99"],
		["VNC with a password", { vnc: { ...vnc, display: 3, password: "x" } }, "-vnc 127.0.0.1:3,password=on"],
		["no screen at all", { nographic: true }, "-vnc none -display none -serial pty -nographic"],
		["standard VGA", { vga: "stdvga", videoMemoryKiB: 16384 }, "-device VGA,vgamem_mb=16"],
		[
			"an EHCI controller",
			{ usb: { devices: [], version: 2 } },
			"masterbus=usb.0,firstport=2,addr=0x1d.0x1,multifunction=on",
		],
		["its first companion", { usb: { devices: [], version: 2 } }, "firstport=0,addr=0x1d.0,multifunction=on"],
		["an xHCI controller", { usb: { devices: [], version: 3 } }, "-device nec-usb-xhci,id=usb"],
		["an old sound card", { soundHardware: "sb16" }, "-device sb16"],
		["a qcow2 disk", { disks: [disk({ format: "qcow2" })] }, "format=qcow2"],
		["a VHD disk", { disks: [disk({ format: "vhd" })] }, "format=vpc"],
		["any serial port", { serials: ["file:/var/log/serial,with=comma"] }, "-serial file:/var/log/serial,with=comma"],
		["a name that looks like a key", { name: "process=x" }, "-name guest=process=x"],
	])("gives a QEMU in domain 0 %s", (_, values, expected) => {
		expect(inDom0(values)).toContain(expected);
	});

	it("has a stub domain serve the screen where its init looks for it, whatever else the config says of VNC", () => {
		const screen = "-vnc unix:/run/bulkhead-screen.sock,share=force-shared -display none";
		const card = { vga: "stdvga", videoMemoryKiB: 16384 } as const;
		const elsewhere = { listen: "unix:/etc/passwd", display: 3, findUnused: true, password: "secret,path=/x" };
		expect(inStub(card)).toContain(`-name linux ${screen} -serial`);
		expect(inStub({ ...card, vnc: elsewhere, keymap: "pt-br" })).toContain(`-name linux ${screen} -k pt-br -serial`);
		expect(inStub({ ...card, nographic: true })).not.toContain("-vnc");
		expect(inStub({ ...card, nographic: true, vnc })).toContain(screen);
		expect(inStub({ vga: "none", vnc })).not.toContain("-vnc");
	});

	it.each(["../../etc/passwd", "de,path=x", "DE", "", "de "])("takes %j for no keyboard layout", (keymap) => {
		expect(() => inStub({ keymap })).toThrow(expect.objectContaining({ code: "unsafe-argument" }));
	});

	it.each<[string, Values]>([
		["SDL", { sdl: { opengl: false } }],
		[
			"SPICE",
			{
				spice: {
					port: 1,
					disableTicketing: true,
					agentMouse: true,
					vdagent: true,
					clipboardSharing: true,
					usbRedirection: 0,
				},
			},
		],
	])("gives a QEMU in a stub domain no %s, as libxl", (_, values) => {
		expect(inStub(values)).toBe(inStub({}));
	});

	it("knows nothing of channels, which are the relay's", () => {
		const channels = { channels: [{ name: "c", connection: "socket", path: "/a" }] };
		expect(inStub(channels)).toBe(inStub({}));
		expect(inDom0(channels)).toBe(inDom0({}));
	});

	it("leaves what cannot be emulated to PV drivers: beyond the buses' ends, partitions, disks beyond 26", () => {
		const disks = [
			disk({ vdev: "xvde", devnum: 51776, index: 4, bus: "xen" }),
			disk({ vdev: "xvdaa", devnum: 268442112, index: 26, bus: "xen" }),
			disk({ vdev: "hda1", devnum: 769, partition: 1 }),
			cdrom({ vdev: "xvde", devnum: 51776, index: 4, bus: "xen" }),
		];
		expect(inStub({ disks, hdType: "ide" })).toBe(inStub({ disks: [], hdType: "ide" }));
	});

	it("has six disks on an AHCI controller and four on IDE", () => {
		const disks = Array.from({ length: 7 }, (_, index) =>
			disk({ vdev: `xvd${index}`, devnum: index, index, bus: "xen" }),
		);
		expect(inStub({ disks, hdType: "ahci" }).match(/-drive/g)).toHaveLength(6);
		expect(inStub({ disks, hdType: "ide" }).match(/-drive/g)).toHaveLength(4);
	});

	it.each<[string, Values]>([
		["a read-only IDE disk", { disks: [disk({ readOnly: true })], hdType: "ide" }],
		["a read-only AHCI disk", { disks: [disk({ readOnly: true })], hdType: "ahci" }],
		["a sound card that is none", { soundHardware: "hda,x=y" }],
		["a keymap that is a path", { keymap: "../../etc/passwd" }],
		["a nic's model with an option", { nics: [{ ...nic, model: "e1000,romfile=/etc/shadow" }] }],
		["a nic's address with an option", { nics: [{ ...nic, mac: "00:16:3e:01:02:03,x=y" }] }],
		["a VNC address with an option", { vnc: { ...vnc, listen: "::,sasl=on" } }],
		["two VNC displays", { vnc: { ...vnc, listen: "::1:5", display: 2 } }],
		[
			"SPICE without a port",
			{ spice: { disableTicketing: true, agentMouse: true, vdagent: true, clipboardSharing: true, usbRedirection: 0 } },
		],
		[
			"SPICE without a password",
			{
				spice: {
					port: 1,
					disableTicketing: false,
					agentMouse: true,
					vdagent: true,
					clipboardSharing: true,
					usbRedirection: 0,
				},
			},
		],
		["a line break in a serial port", { serials: ["pty\n-foo"] }],
	])("refuses %s", (_, values) => {
		expect(() => inDom0(values)).toThrow();
	});

	it("refuses a USB device of the host in a stub domain", () => {
		expect(() => inStub({ usb: { devices: ["host:1.2"] } })).toThrow(/stub domain/);
		expect(inStub({ usb: { devices: ["tablet"] } })).toContain("-usb -usbdevice tablet");
	});
});
