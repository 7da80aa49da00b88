import { expect, it } from "vitest";
import { closeOverDependencies, parseModulesDep } from "../../src/kernel-modules.ts";

it("parseModulesDep reads dependencies and stops being interested where depmod prints other tables", () => {
	const text = ["kernel/a.ko: kernel/b.ko kernel/c.ko", "kernel/d.ko.xz:", "alias pci:v00 e1000", "# comment"].join(
		"\n",
	);
	expect([...parseModulesDep(text)]).toEqual([
		["kernel/a.ko", ["kernel/b.ko", "kernel/c.ko"]],
		["kernel/d.ko.xz", []],
	]);
});

it("closeOverDependencies takes what modules need, - for _, and leaves out what is built in", () => {
	const dependencies = new Map([
		["kernel/xen-netback.ko", ["kernel/b.ko", "kernel/c.ko"]],
		["kernel/b.ko", []],
		["kernel/c.ko", ["kernel/b.ko"]],
		["kernel/unused.ko", []],
	]);
	const wanted = ["xen_netback", "virtio_pci"];
	expect(closeOverDependencies(dependencies, ["kernel/virtio_pci.ko"], wanted)).toEqual([
		"kernel/b.ko",
		"kernel/c.ko",
		"kernel/xen-netback.ko",
	]);
	expect(() => closeOverDependencies(dependencies, [], wanted)).toThrow("no module virtio_pci");
});
