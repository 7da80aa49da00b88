import { HypervisorError } from "../../errors.ts";
import type { Sysfs } from "../../ports/sysfs.ts";

/** A PCI device of a simulated host. */
export interface SimPciDevice {
	/** "0000:03:00.0" */
	address: string;
	/** The driver that has it; undefined: none. */
	driver?: string;
	/** Lines of `resource`: start, end, flags. */
	resources?: readonly (readonly [start: number, end: number, flags: number])[];
	irq?: number;
}

const DEVICES = "bus/pci/devices";
const DRIVERS = "bus/pci/drivers";
const PCIBACK = `${DRIVERS}/pciback`;
const PCIBACK_FILES = ["new_slot", "remove_slot", "slots", "permissive", "do_flr", "bind", "unbind"];

/** What domain 0's kernel shows of its PCI devices, with the rules of its driver pciback (xen-pciback/pci_stub.c). */
export class SimSysfs implements Sysfs {
	/** Whether pciback is loaded. */
	hasPciback = true;
	/** Everything that was written, in order: "path text". */
	readonly written: string[] = [];
	readonly #devices: Map<string, SimPciDevice>;
	readonly #slots = new Set<string>();

	constructor(devices: readonly SimPciDevice[] = []) {
		this.#devices = new Map(devices.map((device) => [device.address, { ...device }]));
	}

	driverOf(address: string): string | undefined {
		return this.#devices.get(address)?.driver;
	}

	async read(path: string): Promise<string | undefined> {
		if (path === `${PCIBACK}/slots`)
			return this.hasPciback ? [...this.#slots].map((slot) => `${slot}\n`).join("") : undefined;
		const [, address = "", file] = /^bus\/pci\/devices\/([^/]+)\/(resource|irq)$/.exec(path) ?? [];
		const device = this.#devices.get(address);
		if (!device) return undefined;
		if (file === "irq") return `${device.irq ?? 0}\n`;
		const hex = (value: number): string => `0x${value.toString(16).padStart(16, "0")}`;
		return (device.resources ?? []).map((line) => `${line.map(hex).join(" ")}\n`).join("");
	}

	async list(path: string): Promise<string[] | undefined> {
		if (path === DEVICES) return [...this.#devices.keys()];
		if (path !== PCIBACK || !this.hasPciback) return undefined;
		const bound = [...this.#devices.values()].filter(({ driver }) => driver === "pciback");
		return [...PCIBACK_FILES, ...bound.map(({ address }) => address)];
	}

	async linkedName(path: string): Promise<string | undefined> {
		return this.#devices.get(/^bus\/pci\/devices\/([^/]+)\/driver$/.exec(path)?.[1] ?? "")?.driver;
	}

	async write(path: string, text: string): Promise<void> {
		const [, driver = "", action = ""] = /^bus\/pci\/drivers\/([^/]+)\/([a-z_]+)$/.exec(path) ?? [];
		const device = this.#devices.get(text);
		if (!device || (driver === "pciback" && !this.hasPciback)) throw refusal(path, device ? "ENOENT" : "ENODEV");
		this.#act(path, { driver, action, device });
		this.written.push(`${path} ${text}`);
	}

	#act(path: string, { driver, action, device }: { driver: string; action: string; device: SimPciDevice }): void {
		const { address } = device;
		if (action === "unbind") {
			if (device.driver !== driver) throw refusal(path, "ENODEV");
			device.driver = undefined;
		} else if (action === "bind") {
			const isFree = device.driver === undefined && (driver !== "pciback" || this.#slots.has(address));
			if (!isFree) throw refusal(path, "ENODEV");
			device.driver = driver;
		} else if (driver !== "pciback" || !PCIBACK_FILES.includes(action)) throw refusal(path, "ENOENT");
		else if (action === "new_slot") this.#slots.add(address);
		else if (action === "remove_slot" && !this.#slots.delete(address)) throw refusal(path, "ENOENT");
	}
}

const refusal = (path: string, errno: string): HypervisorError =>
	new HypervisorError(`The kernel did not take ${path}`, { errno, fields: { path } });
