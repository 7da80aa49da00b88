import { type Command, Option } from "commander";
import { escapeKey } from "../console/escape-key.ts";
import { examples, secondsAsMs, smallNumber } from "./arguments.ts";
import type { StartCommand } from "./start-command.ts";

export interface ConsoleFlags {
	type?: "serial" | "pv" | "stub";
	number?: number;
	from?: "live" | "tail" | "start";
	tail?: boolean;
	log?: boolean;
	until?: string;
	idle?: number;
	escape?: number;
	reconnect?: boolean;
	readOnly?: boolean;
}

const DESCRIPTION = `Attaches to a guest's console. Output passes through as it comes; a terminal is in raw mode, and Ctrl-] detaches it.
When the guest reboots, the console goes on with what the next domain prints. Standard input that is no terminal is
sent to its end; once the guest has taken it and has been silent for a while (--idle), the command leaves. With nothing
on standard input it only follows. Consoles know no window size: run \`resize\` in the guest.`;

export function addConsoleCommand(program: Command, start: StartCommand): void {
	program
		.command("console")
		.summary("attach to a guest's console")
		.description(DESCRIPTION)
		.argument("<guest>", "one of ours, or another toolstack's domain on a host whose consoles are all the relay's")
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
		.option("--log", "print all that is kept of the output, and leave")
		.option("--until <text>", "leave as soon as the output has this text")
		.option("--idle <seconds>", "how long the guest is silent before the command leaves (default: 2)", secondsAsMs)
		.option("-e, --escape <key>", "what detaches: ^X for Ctrl-X, or one character (default: ^])", escapeKey)
		.option("--no-reconnect", "leave when the guest reboots")
		.option("-r, --read-only", "do not type")
		.addHelpText(
			"after",
			examples("console web", "console --log -t stub web", "console -t serial -n 1 web", "console -e ^A web"),
		)
		.action((ref: string, options: ConsoleFlags) =>
			start(async (context) => (await import("../commands/console.ts")).console(context, ref, options)),
		);
}
