import { describe, expect, test } from "vitest";
import { SimWorld } from "./sim-world.ts";

describe("USB of a guest", () => {
	test("is plugged in at the start, changed while it runs, and there again after a reboot", async () => {
		const world = await SimWorld.start();
		const { client } = world;
		const guest = await world.create(world.hvm("one", 'usbctrl = ["version=3,ports=4"]', 'usbdev = ["type=tablet"]'));
		const tablet = { controller: 0, port: 1, kind: "tablet" };
		expect(await client.usb("one")).toEqual([{ devid: 0, version: 3, ports: 4, devices: [tablet] }]);
		const plugged = async (): Promise<string[]> => {
			const answer = await client.qmp("one", {
				command: "qom-list",
				arguments: { path: "/machine/peripheral" },
				timeoutMs: 1000,
			});
			return (answer as { name: string; type: string }[]).map(({ name, type }) => `${name} ${type}`);
		};
		const keyboard = await client.attachUsbDevice("one", { spec: "type=keyboard,port=3" });
		expect(keyboard).toEqual({ controller: 0, port: 3, kind: "keyboard" });
		expect(await client.attachUsbController("one", { spec: "version=1" })).toMatchObject({ devid: 1, ports: 2 });
		await client.detachUsbDevice("one", "0", "1");
		const now = ["xenusb-0 child<nec-usb-xhci>", "xenusb-0-3 child<usb-kbd>", "xenusb-1 child<piix3-usb-uhci>"];
		expect(await plugged()).toEqual(now);
		await client.reboot("one");
		await world.eventually("the guest's next life", async () => {
			const found = await world.find("one");
			return found?.phase === "running" && found.domid !== guest.domid ? true : undefined;
		});
		expect((await plugged()).toSorted()).toEqual(now);
		await client.detachUsbController("one", "0");
		expect(await client.usb("one")).toEqual([{ devid: 1, version: 1, ports: 2, devices: [] }]);
		for (const failing of [
			client.detachUsbController("one", "7"),
			client.detachUsbDevice("one", "1", "1"),
			client.attachUsbDevice("one", { spec: "hostbus=1,hostaddr=2" }),
		])
			await expect(failing).rejects.toMatchObject({ code: expect.stringMatching(/no-such-device|device-refused/) });
	});
});
