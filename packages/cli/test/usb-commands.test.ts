import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CapturedIo, run } from "./captured-io.ts";
import { FakeDaemon } from "./fake-daemon.ts";

let daemon: FakeDaemon;
let io: CapturedIo;
const bulkhead = (...args: string[]): ReturnType<typeof run> => run(io, daemon.socketPath, ...args);
const TABLET = { controller: 0, port: 1, kind: "tablet" };
const STICK = { controller: 0, port: 2, kind: "hostdev", host: { bus: 1, address: 12 } };

beforeEach(async () => {
	io = new CapturedIo();
	daemon = await FakeDaemon.open();
});
afterEach(() => daemon[Symbol.asyncDispose]());

describe("bulkhead", () => {
	it("usb-list has xl's columns, and says what is in each port", async () => {
		daemon.json("GET /guests/web/usb", [{ devid: 0, version: 1, ports: 2, devices: [TABLET, STICK] }]);
		expect((await bulkhead("usb-list", "web")).out).toBe(
			"Devid  Type        BE  state usb-ver ports\n" +
				"0      devicemodel 0   4     1       2\n" +
				"  Port 1: tablet\n  Port 2: Bus 001 Device 012\n",
		);
	});

	it("attaches and detaches controllers and devices", async () => {
		daemon.json("POST /guests/web/usb/controllers", { devid: 0, version: 3, ports: 4, devices: [] });
		daemon.json("POST /guests/web/usb/devices", TABLET);
		daemon.json("DELETE /guests/web/usb/devices/0/1", TABLET);
		daemon.json("DELETE /guests/web/usb/controllers/0", { devid: 0, version: 3, ports: 4, devices: [] });
		await bulkhead("usbctrl-attach", "web", "version=3", "ports=4");
		await bulkhead("usbdev-attach", "web", "type=tablet");
		await bulkhead("usbdev-detach", "web", "0", "1");
		const { out } = await bulkhead("usbctrl-detach", "web", "0");
		expect(out).toContain("USB device in port 1 of controller 0 attached to web\n");
		expect(out).toContain("USB controller 0 detached from web\n");
		expect(daemon.seen.slice(0, 2).map(({ body }) => body)).toEqual([
			{ spec: "version=3,ports=4" },
			{ spec: "type=tablet" },
		]);
	});
});
