import { domId } from "@bulkhead/base";
import { XenstoreClient } from "@bulkhead/xenstore";
import { XenstoreServer } from "@bulkhead/xenstore/server";
import { describe, expect, it } from "vitest";
import { pvQemuArgs } from "../src/device-model/pv-qemu-args.ts";
import { pvScreenOf } from "../src/device-model/pv-screen.ts";
import { writePvScreen } from "../src/devices/pv-screen.ts";
import { hvmConfig, pvConfig } from "./fixtures.ts";

const GUEST = domId(5);
const vnc = { listen: "127.0.0.1", display: 1, findUnused: true, password: "secret" };

describe("a PV guest's screen", () => {
	it("is one keyboard for each frame buffer and those that were asked for, and none for an HVM guest", () => {
		const keyboards = [{ "backend-type": "qemu" }];
		expect(pvScreenOf(pvConfig({ frameBuffers: [{ vnc }], keyboards })).keyboards).toHaveLength(2);
		expect(pvScreenOf(hvmConfig({ frameBuffers: [{ vnc }], keyboards })).keyboards).toHaveLength(0);
	});

	it("has both ends' nodes, without the password, which the guest could read", async () => {
		const server = new XenstoreServer();
		const store = XenstoreClient.over(server.connectClient());
		await writePvScreen(store, GUEST, pvScreenOf(pvConfig({ frameBuffers: [{ vnc }] })));
		const tree = server.host.toJSON();
		expect(tree).toMatchObject({
			"/local/domain/5/device/vfb/0/backend": "/local/domain/0/backend/vfb/5/0",
			"/local/domain/5/device/vfb/0/state": "1",
			"/local/domain/5/device/vkbd/0/backend-id": "0",
			"/local/domain/0/backend/vfb/5/0/frontend": "/local/domain/5/device/vfb/0",
			"/local/domain/0/backend/vfb/5/0/vncdisplay": "1",
			"/local/domain/0/backend/vkbd/5/0/state": "1",
		});
		expect(JSON.stringify(tree)).not.toContain("secret");
		store.close();
		await server.close();
	});

	it("is served by a QEMU that emulates nothing, with libxl's arguments", () => {
		const place = {
			kind: "dom0",
			guest: GUEST,
			qmpSocket: "/q",
			statisticsSocket: "/s",
			user: "131077:131073",
			chroot: "/r",
		} as const;
		expect(pvQemuArgs(pvConfig({ frameBuffers: [{ vnc, keymap: "de" }] }), place).join(" ")).toBe(
			"-xen-domid 5 -no-shutdown -chardev socket,id=libxl-cmd,path=/q,server=on,wait=off -mon chardev=libxl-cmd,mode=control " +
				"-chardev socket,id=libxenstat-cmd,path=/s,server=on,wait=off -mon chardev=libxenstat-cmd,mode=control " +
				"-xen-attach -nodefaults -no-user-config -name linux -vnc 127.0.0.1:1,password=on,to=99 -display none -k de " +
				"-chroot /r -machine xenpv -m 192 -runas 131077:131073",
		);
	});
});
