import { describe, expect, it } from "vitest";
import { checkController, checkUsbDevice } from "../src/usb/check-usb.ts";
import { addDevice, usbLists, usbTopology } from "../src/usb/usb-topology.ts";
import { hvmConfig, pvConfig } from "./fixtures.ts";

const topologyOf = (usbControllers: Record<string, string>[], usbDevices: Record<string, string>[] = []) =>
	usbTopology({ usbControllers, usbDevices });
const inDom0 = { place: "dom0" as const, restrict: false, args: [], argsHvm: [], argsPv: [] };

describe("a guest's USB", () => {
	it("has numbers and ports filled in, as libxl fills them in", () => {
		expect(topologyOf([{ version: "1" }, { devid: "5", version: "3" }, {}]).controllers).toEqual([
			{ devid: 0, version: 1, ports: 2 },
			{ devid: 5, version: 3, ports: 8 },
			{ devid: 1, version: 2, ports: 6 },
		]);
	});

	it("puts each device into the first free port, and makes a controller when there is none", () => {
		const seven = Array.from({ length: 7 }, () => ({ type: "tablet" }));
		const { controllers, devices } = topologyOf([], seven);
		expect(controllers.map(({ devid }) => devid)).toEqual([0, 1]);
		expect(devices.map(({ controller, port }) => `${controller}.${port}`)).toEqual(
			"0.1 0.2 0.3 0.4 0.5 0.6 1.1".split(" "),
		);
	});

	it("is the same when its lists are read again", () => {
		const topology = topologyOf(
			[{ version: "3", ports: "4" }],
			[{ hostbus: "1", hostaddr: "9", port: "3" }, { type: "keyboard" }],
		);
		const { usbControllers, usbDevices } = usbLists(topology);
		expect(usbTopology({ usbControllers: [...usbControllers], usbDevices: [...usbDevices] })).toEqual(topology);
	});

	it("refuses what is there already, and ports that are not", () => {
		const one = topologyOf([{}], [{ hostbus: "1", hostaddr: "9" }]);
		expect(() => addDevice(one, { hostbus: "1", hostaddr: "9" })).toThrow(/has the USB device 1:9/);
		const wrong: Record<string, string>[] = [
			{ controller: "3" },
			{ controller: "0", port: "1" },
			{ controller: "0", port: "7" },
		];
		for (const spec of wrong)
			expect(() => addDevice(one, { type: "mouse", ...spec })).toThrow(/not there, or has no such free port/);
		expect(() => topologyOf([{ devid: "1" }, { devid: "1" }])).toThrow(/has a USB controller 1/);
		expect(() => topologyOf([{ version: "1", ports: "3" }])).toThrow(/has 2 ports/);
	});

	it("is emulated for HVM guests only, and devices of the host need an unrestricted QEMU beside them", () => {
		expect(() => checkController(pvConfig(), {})).toThrow(/no driver for USB/);
		expect(() => checkController(hvmConfig(), { type: "qusb" })).toThrow(/no Debian kernel has/);
		expect(() => checkController(hvmConfig(), { type: "devicemodel", version: "3" })).not.toThrow();
		const host = { hostbus: "1", hostaddr: "9" };
		expect(() => checkUsbDevice(hvmConfig(), { type: "tablet" })).not.toThrow();
		expect(() => checkUsbDevice(hvmConfig(), host)).toThrow(/stub domain has none/);
		expect(() => checkUsbDevice(hvmConfig({ deviceModel: inDom0 }), host)).not.toThrow();
		expect(() => checkUsbDevice(hvmConfig({ deviceModel: { ...inDom0, restrict: true } }), host)).toThrow(/restricted/);
	});
});
