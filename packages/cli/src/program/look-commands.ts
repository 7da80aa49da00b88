import type { Command } from "commander";
import { examples } from "./arguments.ts";
import type { StartCommand } from "./start-command.ts";

/** Commands that look at guests. */
export function addLookCommands(program: Command, start: StartCommand): void {
	program
		.command("list")
		.alias("ls")
		.description("list guests, in the columns of xl list")
		.argument("[guests...]", "only these")
		.option("-l, --long", "everything about each")
		.option("--names", "names only, one a line")
		.addHelpText("after", examples("list", "list -l web", "--json list"))
		.action((refs: string[], options: { long?: boolean; names?: boolean }) =>
			start(async (context) => (await import("../commands/list.ts")).list(context, refs, options)),
		);
	program
		.command("domid")
		.description("print a guest's domid")
		.argument("<guest>")
		.addHelpText("after", examples("domid web"))
		.action((ref: string) => start(async (context) => (await import("../commands/identify.ts")).domid(context, ref)));
	program
		.command("domname")
		.description("print a guest's name")
		.argument("<domid>")
		.addHelpText("after", examples("domname 5"))
		.action((ref: string) => start(async (context) => (await import("../commands/identify.ts")).domname(context, ref)));
	program
		.command("uptime")
		.description("print how long guests have been running")
		.argument("[guests...]", "only these")
		.addHelpText("after", examples("uptime", "uptime web"))
		.action((refs: string[]) =>
			start(async (context) => (await import("../commands/uptime.ts")).uptime(context, refs)),
		);
}
