import { domId } from "@bulkhead/base";
import { describe, expect, it } from "vitest";
import { stubQemuArgs } from "../src/device-model/qemu-args.ts";
import { cdrom, disk, hvmConfig, nic } from "./fixtures.ts";

const args = (values: Parameters<typeof hvmConfig>[0]): string => stubQemuArgs(hvmConfig(values), domId(7)).join(" ");

describe("stubQemuArgs", () => {
	it("lists what libxl would, with paths inside the stub", () => {
		expect(args({})).toBe(
			"-xen-domid 7 -no-shutdown -nodefaults -no-user-config -name linux -display none -serial /dev/hvc3 " +
				"-boot order=c -net none -machine xenfv,suppress-vmdesc=on -m 192 -device ahci,id=ahci0 " +
				"-drive file=/dev/xvda,format=host_device,cache=writeback,if=none,id=ahcidisk-0 " +
				"-device ide-hd,bus=ahci0.0,unit=0,drive=ahcidisk-0",
		);
	});

	it("gives IDE disks, CDs with and without a medium, and SCSI disks their places", () => {
		const disks = [
			disk(),
			cdrom(),
			cdrom({ vdev: "hdd", devnum: 5696, index: 3, path: undefined }),
			disk({ vdev: "sdb", devnum: 2064, index: 1, bus: "scsi", readOnly: true }),
		];
		const text = args({ disks, hdType: "ide" });
		expect(text).toContain("-drive file=/dev/xvda,format=host_device,cache=writeback,if=ide,index=0,media=disk");
		expect(text).toContain("-drive if=none,readonly=on,id=ide-5632,file=/dev/xvdc,format=host_device");
		expect(text).toContain("-device ide-cd,id=ide-5632,drive=ide-5632,bus=ide.1,unit=0");
		expect(text).toContain(
			"-drive if=none,readonly=on,id=ide-5696 -device ide-cd,id=ide-5696,drive=ide-5696,bus=ide.1,unit=1",
		);
		expect(text).toContain("-device lsi53c895a");
		expect(text).toContain("readonly=on -device scsi-hd,drive=scsi0-hd1,scsi-id=1");
	});

	it("cannot be made to split an option by a comma in the guest's name", () => {
		expect(args({ name: "a,sandbox=off" })).toContain("-name a,,sandbox=off ");
	});

	it("gives each emulated nic a card and a tap of the stub domain", () => {
		const nics = [nic(), nic({ devid: 1, type: "vif" }), nic({ devid: 2, mac: "00:16:3e:00:00:02", model: "rtl8139" })];
		expect(args({ nics })).toContain(
			" -device e1000,id=nic0,netdev=net0,mac=00:16:3e:01:02:03" +
				" -netdev type=tap,id=net0,ifname=vif7.0-emu,script=no,downscript=no" +
				" -device rtl8139,id=nic2,netdev=net2,mac=00:16:3e:00:00:02" +
				" -netdev type=tap,id=net2,ifname=vif7.2-emu,script=no,downscript=no -machine",
		);
		expect(args({ nics: [nic({ type: "vif" })] })).toContain(" -net none ");
	});

	it("gives each serial port its console, and vcpus and video memory their options", () => {
		const text = args({ serials: ["pty", "pty"], vcpus: 2, vga: "stdvga", videoMemoryKiB: 16384, memoryKiB: 131072 });
		expect(text).toContain("-serial /dev/hvc3 -serial /dev/hvc4 -device VGA,vgamem_mb=16");
		expect(text).toContain("-smp 2,maxcpus=2");
		expect(text).toContain("-m 112");
	});
});
