import { API, ApiClient } from "@bulkhead/api/client";
import { Command, Option } from "commander";
import type { CliIo } from "../cli-io.ts";
import { commandContext } from "../command-context.ts";
import { VERSION } from "../version.ts";
import { addChannelCommands } from "./channel-commands.ts";
import { addConfigCommands } from "./config-commands.ts";
import { addConsoleCommand } from "./console-command.ts";
import { addDiskCommands } from "./disk-commands.ts";
import { addGuestCommands } from "./guest-commands.ts";
import { addHelpCommands } from "./help-commands.ts";
import { addHostCommands } from "./host-commands.ts";
import { addLookCommands } from "./look-commands.ts";
import { addNetworkCommands } from "./network-commands.ts";
import { addPciCommands } from "./pci-commands.ts";
import { addScreenCommands } from "./screen-commands.ts";
import type { StartCommand } from "./start-command.ts";
import { addTuningCommands } from "./tuning-commands.ts";
import { addUsbCommands } from "./usb-commands.ts";

/** The whole command line. A command's own code is imported when it runs: start-up is what an emulated host feels. */
export function createProgram(io: CliIo, onExitCode: (code: number) => void): Command {
	const program = new Command("bulkhead")
		.description("Runs Xen guests whose device models live in stub domains")
		.version(VERSION, "-V, --version", "print the version")
		.option("--json", "print JSON: one document, or one a line for streams; errors as {error}")
		.addOption(new Option("--socket <path>", "bulkheadd's unix socket").default(API.socketPath).env("BULKHEAD_SOCKET"))
		.option("-v, --verbose", "say more: finished steps, error codes and fields")
		.helpOption("-h, --help", "print help")
		.helpCommand(false)
		.showHelpAfterError("(see bulkhead --help)")
		.exitOverride()
		.configureOutput({
			writeOut: (text) => void io.stdout.write(text),
			writeErr: (text) => void io.stderr.write(text),
			getOutHelpWidth: () => io.stdout.columns ?? 80,
			getErrHelpWidth: () => io.stderr.columns ?? 80,
			outputError: (text, write) => write(text.replace(/^error: /, "bulkhead: ")),
		});
	const start: StartCommand = async (body) => {
		const {
			json = false,
			verbose = false,
			socket,
		} = program.opts<{
			json?: boolean;
			verbose?: boolean;
			socket: string;
		}>();
		const client = new ApiClient({ socketPath: socket });
		const code = await body(commandContext({ io, client, json, verbose }));
		if (typeof code === "number") onExitCode(code);
	};
	addGuestCommands(program, start);
	addNetworkCommands(program, start);
	addChannelCommands(program, start);
	addDiskCommands(program, start);
	addUsbCommands(program, start);
	addPciCommands(program, start);
	addTuningCommands(program, start);
	addLookCommands(program, start);
	addConsoleCommand(program, start);
	addScreenCommands(program, start);
	addHostCommands(program, start);
	addConfigCommands(program, start);
	addHelpCommands(program, io);
	return program;
}
