import type { Command } from "commander";
import { examples } from "./arguments.ts";
import type { StartCommand } from "./start-command.ts";

/** Commands for the network interfaces of a guest that runs. */
export function addNetworkCommands(program: Command, start: StartCommand): void {
	program
		.command("network-attach")
		.summary("give a running guest another network interface")
		.description("Gives a running guest another network interface, and its config too.")
		.argument("<guest>")
		.argument("[parameters...]", "as in the config's vif list: mac=…, bridge=…, script=…")
		.addHelpText("after", examples("network-attach web", "network-attach web bridge=xenbr1 mac=00:16:3e:01:02:03"))
		.action((ref: string, parameters: string[]) =>
			start(async (context) => (await import("../commands/network.ts")).networkAttach(context, ref, parameters)),
		);
	program
		.command("network-detach")
		.summary("take a network interface away from a running guest")
		.description("Takes a network interface away from a running guest, and from its config.")
		.argument("<guest>")
		.argument("<nic>", "its number or its address")
		.option("-f, --force", "do not ask the guest's driver first")
		.addHelpText("after", examples("network-detach web 1", "network-detach web 00:16:3e:01:02:03 --force"))
		.action((ref: string, nic: string, { force = false }: { force?: boolean }) =>
			start(async (context) => (await import("../commands/network.ts")).networkDetach(context, ref, nic, { force })),
		);
	program
		.command("network-list")
		.description("list a guest's network interfaces, in the columns of xl network-list")
		.argument("<guest>")
		.addHelpText("after", examples("network-list web", "--json network-list web"))
		.action((ref: string) =>
			start(async (context) => (await import("../commands/network.ts")).networkList(context, ref)),
		);
}
