import type { Command } from "commander";
import { examples } from "./arguments.ts";
import type { StartCommand } from "./start-command.ts";

/** Commands about PCI devices of the host. BDF is an address as lspci prints it. */
export function addPciCommands(program: Command, start: StartCommand): void {
	program
		.command("pci-assignable-list")
		.description("list the PCI devices that domain 0 gives away and nobody has")
		.option("-n, --show-names", "by their names, where they have one")
		.addHelpText("after", examples("pci-assignable-list", "--json pci-assignable-list"))
		.action(({ showNames = false }: { showNames?: boolean }) =>
			start(async (context) => (await import("../commands/pci.ts")).pciAssignableList(context, showNames)),
		);
	program
		.command("pci-assignable-add")
		.summary("take a PCI device from domain 0, so that a guest can have it")
		.description("Takes a PCI device from domain 0's driver, so that a guest can have it.")
		.argument("<bdf>")
		.option("-n, --name <name>", "a name by which configs may ask for it")
		.addHelpText("after", examples("pci-assignable-add 03:00.0", "pci-assignable-add -n nic 0000:03:00.0"))
		.action((bdf: string, { name }: { name?: string }) =>
			start(async (context) => (await import("../commands/pci.ts")).pciAssignableAdd(context, bdf, name)),
		);
	program
		.command("pci-assignable-remove")
		.description("give a PCI device back to domain 0")
		.argument("<device>", "its address or its name")
		.option("-r, --rebind", "to the driver that had it")
		.addHelpText("after", examples("pci-assignable-remove -r 03:00.0"))
		.action((device: string, { rebind = false }: { rebind?: boolean }) =>
			start(async (context) => (await import("../commands/pci.ts")).pciAssignableRemove(context, device, rebind)),
		);
	program
		.command("pci-attach")
		.summary("give a running guest a PCI device")
		.description("Gives a running guest an assignable PCI device. The guest keeps it over reboots.")
		.argument("<guest>")
		.argument("<spec...>", "parameters, as in pci = [ … ]")
		.addHelpText("after", examples("pci-attach web 03:00.0", "pci-attach web name=nic permissive=1"))
		.action((ref: string, parts: string[]) =>
			start(async (context) => (await import("../commands/pci.ts")).pciAttach(context, ref, parts)),
		);
	program
		.command("pci-detach")
		.summary("take a PCI device from a running guest")
		.description("Takes a PCI device from a running guest. One that does not give it up in 10 s keeps it.")
		.argument("<guest>")
		.argument("<device>", "its address or its name")
		.option("-f, --force", "do not ask the guest")
		.addHelpText("after", examples("pci-detach web 03:00.0", "pci-detach --force web nic"))
		.action((ref: string, device: string, { force = false }: { force?: boolean }) =>
			start(async (context) => (await import("../commands/pci.ts")).pciDetach(context, ref, device, force)),
		);
	program
		.command("pci-list")
		.description("list a guest's PCI devices")
		.argument("<guest>")
		.addHelpText("after", examples("pci-list web"))
		.action((ref: string) => start(async (context) => (await import("../commands/pci.ts")).pciList(context, ref)));
}
