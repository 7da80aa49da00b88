import { type Command, Option } from "commander";
import { examples, smallNumber } from "./arguments.ts";
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
		.command("console")
		.summary("attach to a guest's console")
		.description("Attaches to a guest's console. Ctrl-] detaches. Output passes through as it comes.")
		.argument("<guest>")
		.addOption(
			new Option("-t, --type <type>", "serial port, PV console, or the log of the stub domain").choices([
				"serial",
				"pv",
				"stub",
			]),
		)
		.option("-n, --number <number>", "which serial port, from 0", smallNumber)
		.addOption(
			new Option("--from <place>", "begin with what comes, the last 16 KiB, or all that is kept of the output")
				.choices(["live", "tail", "start"])
				.default("live"),
		)
		.option("--tail", "the same as --from tail")
		.option("--until <text>", "leave as soon as the output has this text")
		.option("-r, --read-only", "do not type")
		.addHelpText("after", examples("console web", "console -t stub --from start web", "console -t serial -n 1 web"))
		.action((ref: string, options: ConsoleFlags) =>
			start(async (context) => (await import("../commands/console.ts")).console(context, ref, options)),
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

export interface ConsoleFlags {
	type?: "serial" | "pv" | "stub";
	number?: number;
	from?: "live" | "tail" | "start";
	tail?: boolean;
	until?: string;
	readOnly?: boolean;
}
