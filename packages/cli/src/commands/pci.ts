import { InvalidInputError, printable } from "@bulkhead/base";
import type { CommandContext } from "../command-context.ts";
import { pciTable } from "../output/pci-table.ts";

const ADDRESS = /^(?:([0-9a-f]{1,4}):)?([0-9a-f]{1,2}):([0-9a-f]{1,2})\.([0-7]|\*)$/;

/** As lspci prints it, with or without its segment; anything else is taken for a name. */
function placeOf(text: string): string {
	const [all, segment = "0", bus = "", device = "", fn = ""] = ADDRESS.exec(text.toLowerCase()) ?? [];
	if (all === undefined) return text;
	return `${segment.padStart(4, "0")}:${bus.padStart(2, "0")}:${device.padStart(2, "0")}.${fn}`;
}

/** Free ones, one a line as xl prints them; with `names` by their names. */
export async function pciAssignableList(context: CommandContext, names: boolean): Promise<void> {
	const devices = await context.client.assignablePci();
	if (context.json) {
		context.printJson(devices);
		return;
	}
	const free = devices.filter(({ domid }) => domid === undefined);
	for (const { address, name } of free) context.print(printable(names ? (name ?? address) : address));
}

export async function pciAssignableAdd(context: CommandContext, text: string, name: string | undefined): Promise<void> {
	const address = placeOf(text);
	if (!/^[0-9a-f:]{10}\.[0-7]$/.test(address))
		throw new InvalidInputError(`"${printable(text, 32)}" is no address of a PCI function`, {
			remedy: "Write it as lspci prints it: 03:00.0",
		});
	const device = await context.client.makePciAssignable({ address, ...(name !== undefined && { name }) });
	tell(context, device, `PCI device ${device.address} can be given to a guest`);
}

export async function pciAssignableRemove(context: CommandContext, text: string, rebind: boolean): Promise<void> {
	const result = await context.client.makePciUnassignable(placeOf(text), { rebind });
	tell(context, result, `PCI device ${result.address} is domain 0's again`);
}

export async function pciAttach(context: CommandContext, ref: string, parts: readonly string[]): Promise<void> {
	const device = await context.client.attachPci(ref, { spec: parts.join(",") });
	tell(context, device, `PCI device ${device.name ?? device.address} attached to ${ref}`);
}

export async function pciDetach(context: CommandContext, ref: string, text: string, force: boolean): Promise<void> {
	const device = await context.client.detachPci(ref, placeOf(text), { force });
	tell(context, device, `PCI device ${device.name ?? device.address} detached from ${ref}`);
}

export async function pciList(context: CommandContext, ref: string): Promise<void> {
	const devices = await context.client.pci(ref);
	if (context.json) context.printJson(devices);
	else context.print(pciTable(devices));
}

function tell(context: CommandContext, result: unknown, sentence: string): void {
	if (context.json) context.printJson(result);
	else context.print(printable(sentence));
}
