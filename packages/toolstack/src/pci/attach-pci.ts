import { DeadlineError, type DomId, delay } from "@bulkhead/base";
import { pciNumber } from "@bulkhead/hypervisor";
import type { PciDeviceConfig } from "@bulkhead/xlcfg";
import type { ToolstackContext } from "../context.ts";
import { DeviceError } from "../errors.ts";
import { domidOf } from "../runtime.ts";
import { claim, makeAssignable, unclaim } from "./assignable.ts";
import { functionsOf } from "./check-pci.ts";
import { addPciNodes, type PciFunction, removePciNodes } from "./pci-nodes.ts";
import { driverOf, irqOf, makePermissive, resetDevice, resourcesOf } from "./pciback.ts";

const QMP_MS = 15_000;
/** A guest's kernel ejects a PCI device when it gets to it. */
const EJECT_MS = 10_000;
const POLL_MS = 200;

type Context = Pick<ToolstackContext, "config" | "runtime" | "hypervisor" | "xenstore" | "rings" | "saveRuntime">;

/**
 * Gives a guest a PCI device with all the functions that its entry stands for, in libxl's order (do_pci_add). What fails
 * is undone. @throws DeviceRefusedError, HypervisorError, what QMP throws
 */
export async function attachPci(
	context: Context,
	device: PciDeviceConfig,
	options: { starting: boolean },
): Promise<void> {
	const addresses = await functionsOf(context, device);
	const functions = addresses.map((address): PciFunction => {
		const fn = addresses.length > 1 ? Number(address.at(-1)) : 0;
		return { address, device, ...(device.slot !== undefined && { vdevfn: device.slot * 8 + fn }) };
	});
	try {
		// The highest first: a guest looks at a slot's other functions once function 0 is there.
		for (const each of functions.toReversed()) await giveFunction(context, each);
		await addPciNodes(context.xenstore, domidOf(context.runtime, "guest"), functions, options);
	} catch (error) {
		await detachPci(context, addresses, { ask: false }).catch(() => {});
		throw error;
	}
}

async function giveFunction(context: Context, { address, device, vdevfn }: PciFunction): Promise<void> {
	const { config, runtime, hypervisor, rings, saveRuntime } = context;
	const { pci, sysfs } = hypervisor;
	const domid = domidOf(runtime, "guest");
	if ((await driverOf(sysfs, address)) !== "pciback") await makeAssignable(context, address);
	await pci.test(domid, pciNumber(address));
	runtime.pci = [...(runtime.pci ?? []), { address }];
	await saveRuntime();
	await claim(context, address, domid);
	await resetDevice(sysfs, address);
	if (config.type === "hvm") {
		const at = vdevfn === undefined ? {} : { addr: `${(vdevfn >> 3).toString(16)}.${vdevfn & 7}` };
		const permissive = device.permissive ? { permissive: true } : {};
		const arguments_ = { driver: "xen-pci-passthrough", id: qemuId(address), hostaddr: address, ...at, ...permissive };
		await rings.executeQmp(config.uuid, "device_add", arguments_, QMP_MS);
	}
	await permitResources(context, domid, address, true);
	const irq = await irqOf(sysfs, address);
	if (irq !== 0) {
		const pirq = await hypervisor.domains.permitIrq(domid, irq);
		runtime.pci = runtime.pci.map((each) => (each.address === address ? { address, pirq } : each));
		await saveRuntime();
	}
	if (device.permissive) await makePermissive(sysfs, address);
	await pci.assign(domid, pciNumber(address), { relaxed: device.rdmPolicy === "relaxed" });
}

async function permitResources(
	{ hypervisor: { domains, sysfs } }: Context,
	domid: DomId,
	address: string,
	allow: boolean,
): Promise<void> {
	for (const { kind, ...range } of await resourcesOf(sysfs, address))
		await (kind === "ports" ? domains.permitIoPorts(domid, range, allow) : domains.permitMemory(domid, range, allow));
}

/** QEMU's name of a function (libxl: PCI_PT_QDEV_ID). */
const qemuId = (address: string): string => `pci-pt-${address.slice(5).replace(":", "_")}`;

/**
 * Takes functions from a guest that runs. With `ask` it is asked to give them up first, and keeps them when it does not.
 * @throws DeviceError, DeadlineError, HypervisorError, what QMP throws
 */
export async function detachPci(
	context: Context,
	addresses: readonly string[],
	{ ask }: { ask: boolean },
): Promise<void> {
	const { config, runtime, hypervisor, xenstore, saveRuntime } = context;
	const domid = domidOf(runtime, "guest");
	for (const address of addresses) {
		const held = runtime.pci?.find((each) => each.address === address);
		if (!held) continue;
		if (config.type === "hvm") await unplug(context, address, ask);
		await removePciNodes(xenstore, domid, address, { ask: ask && config.type === "pv" });
		await permitResources(context, domid, address, false);
		if (held.pirq !== undefined) await hypervisor.domains.withdrawIrq(domid, held.pirq);
		await hypervisor.pci.deassign(domid, pciNumber(address)).catch((error: unknown) => {
			// It was never given that far.
			if (ask) throw error;
		});
		await resetDevice(hypervisor.sysfs, address);
		await unclaim(context, address);
		runtime.pci = runtime.pci?.filter((each) => each.address !== address);
		await saveRuntime();
	}
}

async function unplug({ config, rings }: Context, address: string, ask: boolean): Promise<void> {
	const id = qemuId(address);
	const run = (command: string, args: Record<string, unknown>): Promise<unknown> =>
		rings.executeQmp(config.uuid, command, args, QMP_MS);
	const limit = performance.now() + EJECT_MS;
	if (!ask) {
		await run("device_del", { id }).catch(() => {});
		return;
	}
	await run("device_del", { id });
	while (JSON.stringify(await run("query-pci", {})).includes(`"${id}"`)) {
		if (performance.now() > limit)
			throw new DeviceError(`The guest does not let PCI device ${address} go`, {
				cause: new DeadlineError(`It was still there after ${EJECT_MS} ms`),
				remedy: "Let the guest's kernel eject it, then try again",
			});
		await delay(POLL_MS);
	}
}

/** After the guest's end, when Xen has put its devices aside: they are made ready for the next one. Safe to repeat. */
export async function releasePci(context: Context): Promise<void> {
	const { runtime, hypervisor, saveRuntime } = context;
	for (const { address } of runtime.pci ?? []) {
		if ((await driverOf(hypervisor.sysfs, address)) === "pciback") await resetDevice(hypervisor.sysfs, address);
		await unclaim(context, address);
	}
	delete runtime.pci;
	await saveRuntime();
}
