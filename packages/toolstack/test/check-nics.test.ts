import { SimHost } from "@bulkhead/hypervisor/sim";
import type { NicConfig } from "@bulkhead/xlcfg";
import { describe, expect, test } from "vitest";
import { checkNics, type NicHost } from "../src/check-nics.ts";
import { nic } from "./fixtures.ts";

const DEFAULTS = { bridge: "xenbr0", scriptDirectory: "/etc/xen/scripts" };

/** Domain 5 is called "netvm". */
const DOMAINS: NicHost["xenstore"] = {
	findList: async () => ["0", "5"],
	find: async (path) => (path === "/local/domain/5/name" ? "netvm" : undefined),
};

function check(nics: NicConfig[], type: "hvm" | "pv" = "hvm"): Promise<NicConfig[]> {
	const host = new SimHost();
	host.links.add("xenbr0", { isBridge: true });
	host.links.add("br1", { isBridge: true });
	host.links.setMtu("br1", 9000);
	host.links.add("eth0");
	host.scripts.set("/etc/xen/scripts/vif-route", () => ({ exitCode: 0, output: "" }));
	const { hypervisor } = host.startProcess("daemon");
	return checkNics({ nics, type }, { hypervisor, xenstore: DOMAINS }, DEFAULTS);
}

describe("checkNics", () => {
	test("fills in the host's bridge and the bridge's MTU", async () => {
		expect(await check([nic({ bridge: undefined })])).toEqual([nic({ mtu: 1500 })]);
		expect(await check([nic({ bridge: "br1" })])).toEqual([nic({ bridge: "br1", mtu: 9000 })]);
		expect(await check([nic({ bridge: "br1", mtu: 1400 })])).toEqual([nic({ bridge: "br1", mtu: 1400 })]);
	});

	test("finds a script by its name, and asks for no bridge then", async () => {
		const routed = nic({ bridge: "nowhere", script: "vif-route", vlan: "5" });
		expect(await check([routed])).toEqual([{ ...routed, script: "/etc/xen/scripts/vif-route" }]);
	});

	test.each<[string, Partial<NicConfig>, string, string]>([
		["a bridge that is not there", { bridge: "br9" }, "nic-unusable", 'needs the bridge "br9", which does not exist'],
		["an interface that is no bridge", { bridge: "eth0" }, "nic-unusable", "is no Linux bridge"],
		["a bridge with a path's name", { bridge: "../x" }, "nic-unusable", "does not exist"],
		["a script that is not there", { script: "vif-x" }, "file-unusable", '"/etc/xen/scripts/vif-x" does not exist'],
		["an option in the model", { model: "e1000,romfile=/x" }, "nic-unusable", "is no card's name"],
		["a model that looks like an option", { model: "-e1000" }, "nic-unusable", "is no card's name"],
		["an address of many", { mac: "01:00:5e:00:00:01" }, "nic-unusable", "no address of a single card"],
		["half an address", { mac: "00:16:3e:01:02" }, "nic-unusable", "no address of a single card"],
		["a vifname that is taken", { interfaceName: "eth0" }, "nic-unusable", "there is such an interface"],
		["a vifname with a slash", { interfaceName: "a/b" }, "nic-unusable", "has a vifname that has characters"],
		["a VLAN without a script", { vlan: "5" }, "nic-unusable", "VLAN"],
		["a backend that is not there", { backend: "vpn" }, "no-backend-domain", 'no domain "vpn"'],
	])("refuses %s", async (_, values, code, text) => {
		const refusal = await check([nic(values)]).catch((error: unknown) => error);
		expect(refusal).toMatchObject({ code, message: expect.stringContaining(text), remedy: expect.any(String) });
	});

	test("leaves bridge and script to the domain that serves a nic", async () => {
		const served = { backendDomid: 5, bridge: "br9", script: "/etc/xen/scripts/vif-bridge" };
		for (const backend of ["netvm", "5"])
			expect(await check([nic({ backend, bridge: "br9" })])).toEqual([nic({ ...served, backend } as never)]);
	});

	test("refuses two nics with one address or one number, and an emulated one for a PV guest", async () => {
		const second = { devid: 1, mac: "00:16:3e:01:02:04" };
		await expect(check([nic(), nic({ devid: 1 })])).rejects.toThrow("has the address of another one");
		await expect(check([nic(), nic({ ...second, devid: 0 })])).rejects.toThrow("has the number of another one");
		await expect(check([nic()], "pv")).rejects.toThrow("only HVM guests");
		expect(await check([nic(), nic(second)])).toHaveLength(2);
	});
});
