import type { Command } from "commander";
import { examples } from "./arguments.ts";
import type { StartCommand } from "./start-command.ts";

/** Commands for the channels of a guest that runs: named byte streams to its agents. */
export function addChannelCommands(program: Command, start: StartCommand): void {
	program
		.command("channel-attach")
		.summary("give a running guest another channel")
		.description("Gives a running guest another channel, and its config too.")
		.argument("<guest>")
		.argument("<parameters...>", "as in the config's channel list: name=…, connection=…, path=…")
		.addHelpText(
			"after",
			examples(
				"channel-attach web name=org.example.agent.v1 connection=socket path=/run/agents/web.sock",
				"channel-attach web name=org.example.agent.v1 connection=pty",
			),
		)
		.action((ref: string, parameters: string[]) =>
			start(async (context) => (await import("../commands/channel.ts")).channelAttach(context, ref, parameters)),
		);
	program
		.command("channel-detach")
		.summary("take a channel away from a running guest")
		.description("Takes a channel away from a running guest, and from its config. Its clients are sent away.")
		.argument("<guest>")
		.argument("<name>")
		.option("-f, --force", "do not ask the guest's driver first")
		.addHelpText("after", examples("channel-detach web org.example.agent.v1"))
		.action((ref: string, name: string, { force = false }: { force?: boolean }) =>
			start(async (context) => (await import("../commands/channel.ts")).channelDetach(context, ref, name, { force })),
		);
	program
		.command("channel-list")
		.summary("list a guest's channels")
		.description("Lists a guest's channels, in the columns of xl channel-list and with their names.")
		.argument("<guest>")
		.addHelpText("after", examples("channel-list web", "--json channel-list web"))
		.action((ref: string) =>
			start(async (context) => (await import("../commands/channel.ts")).channelList(context, ref)),
		);
}
