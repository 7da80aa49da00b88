import { domId } from "@bulkhead/base";
import { describe, expect, test } from "vitest";
import { scriptEnvironment } from "../src/devices/hotplug-script.ts";
import { nicsOf, vifBackend, vifFrontend, vifRecord } from "../src/devices/vif.ts";
import { vifScriptCall } from "../src/devices/vif-script.ts";
import type { NodeTree } from "../src/domain/node-tree.ts";
import { nic } from "./fixtures.ts";

const DOMID = domId(7);

/** Keys and values alone. */
const values = ({ children = {} }: NodeTree): Record<string, unknown> =>
	Object.fromEntries(
		Object.entries(children).map(([key, node]) => [
			key,
			typeof node === "object" && !(node instanceof Uint8Array) ? node.value : node,
		]),
	);

describe("a nic's nodes", () => {
	test("tell the frontend what it needs, of which only its state is its own", () => {
		const tree = vifFrontend(DOMID, nic({ devid: 1 }));
		expect(values(tree)).toEqual({
			backend: "/local/domain/0/backend/vif/7/1",
			"backend-id": 0,
			handle: 1,
			mac: "00:16:3e:01:02:03",
			mtu: 1500,
			trusted: 1,
			state: 1,
		});
		const owned = Object.entries(tree.children ?? {}).filter(([, node]) => typeof node !== "object");
		expect(owned.map(([key]) => key)).toEqual(["state"]);
	});

	test("tell netback everything that libxl would, and an empty script when none runs", () => {
		expect(values(vifBackend(DOMID, nic()))).toEqual({
			frontend: "/local/domain/7/device/vif/0",
			"frontend-id": 7,
			online: 1,
			script: "",
			mac: "00:16:3e:01:02:03",
			bridge: "xenbr0",
			handle: 0,
			type: "vif_ioemu",
			"hotplug-status": "",
			state: 1,
		});
	});

	test("carry what the config adds", () => {
		const full = nic({
			type: "vif",
			script: "/etc/xen/scripts/vif-route",
			ip: "10.0.0.2 10.0.0.3",
			gatewayDevice: "eth0",
			interfaceName: "web0",
			mtu: 9000,
			rate: { bytes: 524_288, intervalUs: 50_000 },
			trusted: false,
		});
		expect(values(vifBackend(DOMID, full))).toMatchObject({
			script: "/etc/xen/scripts/vif-route",
			ip: "10.0.0.2 10.0.0.3",
			gatewaydev: "eth0",
			vifname: "web0",
			mtu: 9000,
			rate: "524288,50000",
			type: "vif",
		});
		expect(values(vifFrontend(DOMID, full))).toMatchObject({ mtu: 9000, trusted: 0 });
	});

	test("are copied where Xen's own tools look", () => {
		expect(values(vifRecord(DOMID, nic()))).toMatchObject({
			frontend: "/local/domain/7/device/vif/0",
			backend: "/local/domain/0/backend/vif/7/0",
			mac: "00:16:3e:01:02:03",
		});
	});
});

describe("nicsOf", () => {
	const emulated = nic({ devid: 0, interfaceName: "web0" });
	const plain = nic({ devid: 1, type: "vif" });

	test("gives the guest all of them, the stub domain those that QEMU emulates", () => {
		expect(nicsOf("guest", [emulated, plain])).toEqual([emulated, plain]);
		expect(nicsOf("stub", [emulated, plain])).toEqual([{ ...emulated, type: "vif", interfaceName: "web0-emu" }]);
	});

	test("leaves the stub domain's interface its own name where the suffix does not fit", () => {
		expect(nicsOf("stub", [nic({ interfaceName: "eleven-long" })])[0]?.interfaceName).toBe("eleven-long-emu");
		expect(nicsOf("stub", [nic({ interfaceName: "twelve--long" })])[0]).not.toHaveProperty("interfaceName");
	});
});

test("a script is told of a nic what libxl tells it", () => {
	const script = "/etc/xen/scripts/vif-bridge";
	const call = vifScriptCall({ domid: DOMID, nic: nic({ devid: 2, script }), action: "online" });
	expect(call).toMatchObject({
		args: ["online", "type_if=vif"],
		env: { netdev: "", INTERFACE: "vif7.2-emu", vif: "vif7.2" },
	});
	expect(scriptEnvironment(call.device, script)).toEqual({
		script,
		XENBUS_TYPE: "vif",
		XENBUS_PATH: "backend/vif/7/2",
		XENBUS_BASE_PATH: "backend",
	});
	const plain = nic({ type: "vif", script, gatewayDevice: "eth1" });
	const { env } = vifScriptCall({ domid: DOMID, nic: plain, action: "offline" });
	expect(env).toMatchObject({ netdev: "eth1" });
	expect(env).not.toHaveProperty("INTERFACE");
});
