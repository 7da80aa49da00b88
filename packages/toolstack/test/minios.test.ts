import { domId } from "@bulkhead/base";
import { describe, expect, it } from "vitest";
import { dmargs, miniosQemuArgs } from "../src/device-model/minios-args.ts";
import { hvmConfig } from "./fixtures.ts";

const guest = domId(7);

describe("MiniOS' arguments", () => {
	it("are those of the older QEMU, in libxl's order", () => {
		const config = hvmConfig({
			bios: "rombios",
			vcpus: 2,
			maxVcpus: 3,
			vga: "stdvga",
			videoMemoryKiB: 16384,
			vnc: { listen: "", display: 1, findUnused: true, password: "x" },
			usb: { devices: ["tablet"] },
			nics: [{ devid: 0, mac: "00:16:3e:01:02:03", type: "ioemu", model: "rtl8139", bridge: "xenbr0" }],
			deviceModel: { place: "minios", restrict: false, args: ["-a"], argsHvm: ["-b"], argsPv: [] },
		});
		expect(miniosQemuArgs(config, guest).join(" ")).toBe(
			"-d 7 -domain-name linux -vnc 127.0.0.1:1,password -vncunused -serial pty -videoram 16 -std-vga -boot c " +
				"-usb -usbdevice tablet -acpi -vcpus 3 -vcpu_avail 0x3 " +
				"-net nic,vlan=0,macaddr=00:16:3e:01:02:03,model=rtl8139 " +
				"-net tap,vlan=0,ifname=vif7.0-emu,bridge=xenbr0,script=no,downscript=no -a -M xenfv -b",
		);
	});

	it("become one string with a space before each, without what libxl drops", () => {
		expect(dmargs(["-d", "7", "-sdl", "-M", "xenfv", "-boot", "c"])).toBe(" -d 7 -boot c");
		expect(dmargs([])).toBe("");
	});

	it("are refused when a space would make two of one", () => {
		expect(() => dmargs(["-domain-name", "my guest"])).toThrow(/divided by spaces/);
		expect(() => dmargs([""])).toThrow();
	});
});
