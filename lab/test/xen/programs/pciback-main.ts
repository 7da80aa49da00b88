/** Runs in dom0: gives a PCI device that has no driver to Linux' own pciback, and takes it back. */

import assert from "node:assert/strict";
import { NativeSysfs } from "@bulkhead/hypervisor/native";
import {
	bindToPciback,
	driverOf,
	irqOf,
	makePermissive,
	pcibackDevices,
	pciDevices,
	resetDevice,
	resourcesOf,
	unbindFromPciback,
} from "../../../../packages/toolstack/src/pci/pciback.ts";
import { runRows } from "./rows.ts";

const sysfs = new NativeSysfs();
const [device = ""] = process.argv.slice(2);

await runRows([
	{
		name: "pciback takes a device, shows it, and lets it go",
		run: async () => {
			assert.ok((await pciDevices(sysfs)).includes(device));
			assert.equal(await driverOf(sysfs, device), undefined);
			assert.equal(await bindToPciback(sysfs, device), undefined);
			assert.equal(await driverOf(sysfs, device), "pciback");
			assert.deepEqual(await pcibackDevices(sysfs), [device]);
			assert.equal(await bindToPciback(sysfs, device), undefined);
			await makePermissive(sysfs, device);
			await resetDevice(sysfs, device);
			const resources = await resourcesOf(sysfs, device);
			assert.ok(resources.some(({ kind }) => kind === "ports"));
			await unbindFromPciback(sysfs, device, undefined);
			assert.equal(await driverOf(sysfs, device), undefined);
			assert.deepEqual(await pcibackDevices(sysfs), []);
			return { resources: resources.length, irq: await irqOf(sysfs, device) };
		},
	},
]);
