import { type Command, Option } from "commander";
import type { ConfigForm } from "../commands/config-convert.ts";
import { examples } from "./arguments.ts";
import type { StartCommand } from "./start-command.ts";

/** Commands on config files. They need no daemon, and no Xen. */
export function addConfigCommands(program: Command, start: StartCommand): void {
	const config = program
		.command("config")
		.summary("check or convert guests' config files")
		.description("Checks or converts guests' config files: xl.cfg text, or its JSON. Needs no daemon.")
		.helpCommand(false);
	config
		.command("check")
		.summary("tell everything that is wrong with config files")
		.description(
			"Tells everything that is wrong with config files (- is standard input), with line and column. Ends with 0 when\nall are usable, warnings or not, and with 4 when one is not.",
		)
		.argument("<files...>")
		.addHelpText("after", examples("config check /etc/xen/*.cfg", "--json config check web.cfg"))
		.action((files: string[]) =>
			start(async (context) => (await import("../commands/config-check.ts")).configCheck(context, files)),
		);
	config
		.command("convert")
		.summary("print a config complete and checked, as JSON or as xl.cfg")
		.description(
			"Prints a config complete and checked: xl.cfg text as JSON, JSON as xl.cfg text, or as told. Every default is\nfilled in, every path absolute; a uuid and addresses that the file leaves out are drawn.",
		)
		.argument("<file>", "xl.cfg or JSON (- reads standard input)")
		.argument("[assignments...]", "key=value, as if appended to the file")
		.addOption(new Option("--to <form>", "the form to print").choices(["json", "xl"]))
		.addHelpText("after", examples("config convert web.cfg > web.json", "config convert --to xl web.cfg memory=512"))
		.action((file: string, assignments: string[], options: { to?: ConfigForm }) =>
			start(async (context) =>
				(await import("../commands/config-convert.ts")).configConvert(context, file, assignments, options),
			),
		);
}
