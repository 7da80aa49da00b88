import { Argument, type Command, CommanderError } from "commander";
import type { CliIo } from "../cli-io.ts";
import { describeExitCodes } from "../exit-codes.ts";
import { examples } from "./arguments.ts";

export function addHelpCommands(program: Command, io: CliIo): void {
	program
		.command("completion")
		.description("print a script that completes commands, options and guests' names")
		.addArgument(new Argument("<shell>").choices(["bash", "zsh", "fish"]))
		.addHelpText("after", examples("completion bash > /etc/bash_completion.d/bulkhead", "completion fish | source"))
		.action(async (shell: "bash" | "zsh" | "fish") => {
			const { completionScript } = await import("../commands/completion.ts");
			io.stdout.write(completionScript(program, shell));
		});
	program
		.command("help")
		.description("print help on a command, or the list of exit codes")
		.argument("[topic]", "a command, or exit-codes")
		.action((topic: string | undefined) => {
			if (topic === "exit-codes") {
				io.stdout.write(describeExitCodes());
				return;
			}
			const command = topic === undefined ? program : program.commands.find((one) => one.name() === topic);
			if (!command) throw unknownTopic(program, io, topic);
			command.outputHelp();
		});
	program.addHelpText("after", "\nExit codes: bulkhead help exit-codes");
}

function unknownTopic(program: Command, io: CliIo, topic = ""): CommanderError {
	const known = ["exit-codes", ...program.commands.map((command) => command.name())].join(", ");
	const message = `error: there is no help on ${JSON.stringify(topic)}`;
	io.stderr.write(`${message.replace("error", "bulkhead")}\nremedy: Topics are ${known}\n`);
	return new CommanderError(2, "bulkhead.unknownTopic", message);
}
