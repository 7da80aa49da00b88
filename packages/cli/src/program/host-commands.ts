import type { Command } from "commander";
import { examples } from "./arguments.ts";
import type { StartCommand } from "./start-command.ts";

/** Commands about the host. */
export function addHostCommands(program: Command, start: StartCommand): void {
	program
		.command("info")
		.description("print facts about the host")
		.addHelpText("after", examples("info", "--json info"))
		.action(() => start(async (context) => (await import("../commands/info.ts")).info(context)));
	program
		.command("dmesg")
		.description("print Xen's message buffer")
		.addHelpText("after", examples("dmesg"))
		.action(() => start(async (context) => (await import("../commands/dmesg.ts")).dmesg(context)));
	program
		.command("events")
		.description("print what happens on the host, until interrupted")
		.argument("[guest]", "only this guest's")
		.addHelpText("after", examples("events", "--json events web"))
		.action((ref: string | undefined) =>
			start(async (context) => (await import("../commands/events.ts")).events(context, ref)),
		);
	program
		.command("doctor")
		.description("check that the host has all that Bulkhead needs")
		.addHelpText("after", examples("doctor"))
		.action(() => start(async (context) => (await import("../commands/doctor.ts")).doctor(context)));
}
