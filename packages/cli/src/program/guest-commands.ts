import type { Command } from "commander";
import { examples, secondsAsMs } from "./arguments.ts";
import type { StartCommand } from "./start-command.ts";

const DEFAULT_SHUTDOWN_MS = 120_000;

/** Commands that change a guest. GUEST is a name, a domid or a uuid. */
export function addGuestCommands(program: Command, start: StartCommand): void {
	program
		.command("create")
		.summary("create a guest from an xl.cfg file")
		.description("Creates a guest from an xl.cfg file (- reads standard input). When it fails, nothing is left of it.")
		.argument("<file>", "the guest's config file")
		.argument("[assignments...]", "key=value, as if appended to the file")
		.option("-p, --paused", "leave the guest paused")
		.option("-c, --console", "attach to the guest's console")
		.option("-n, --dry-run", "check everything and print the steps, but take none")
		.addHelpText("after", examples("create web.cfg", "create -p web.cfg memory=512 'disk+=[\"/srv/b.img,raw,hdb\"]'"))
		.action((file: string, assignments: string[], options: { paused?: boolean; console?: boolean; dryRun?: boolean }) =>
			start(async (context) => (await import("../commands/create.ts")).create(context, file, assignments, options)),
		);
	program
		.command("destroy")
		.summary("take a guest away at once")
		.description("Takes a guest and its stub domain away at once, as if the power were cut.")
		.argument("<guest>")
		.addHelpText("after", examples("destroy web"))
		.action((ref: string) => start(async (context) => (await import("../commands/destroy.ts")).destroy(context, ref)));
	program
		.command("shutdown")
		.summary("ask a guest to power off")
		.description("Asks a guest to power off: through its PV drivers, or by the ACPI power button.")
		.argument("<guest>")
		.option("-w, --wait", "wait until it has ended")
		.option("-t, --timeout <seconds>", "how long to wait (default: 120)", secondsAsMs)
		.option("-F, --force", "with --wait: destroy it when it has not ended in time")
		.addHelpText("after", examples("shutdown -w -t 60 web"))
		.action(
			(ref: string, { wait = false, timeout, force = false }: { wait?: boolean; timeout?: number; force?: boolean }) =>
				start(async (context) =>
					(await import("../commands/shutdown.ts")).shutdown(context, ref, {
						wait: wait || timeout !== undefined || force,
						timeoutMs: timeout ?? DEFAULT_SHUTDOWN_MS,
						force,
					}),
				),
		);
	for (const [name, summary] of [
		["reboot", "ask a guest to reboot"],
		["pause", "stop a guest's processors"],
		["unpause", "let a paused guest run"],
	] as const) {
		program
			.command(name)
			.description(summary)
			.argument("<guest>")
			.addHelpText("after", examples(`${name} web`))
			.action((ref: string) => start(async (context) => (await import("../commands/act.ts")).act(context, name, ref)));
	}
	program
		.command("rename")
		.description("give a guest another name")
		.argument("<guest>")
		.argument("<name>")
		.addHelpText("after", examples("rename web web-old"))
		.action((ref: string, name: string) =>
			start(async (context) => (await import("../commands/rename.ts")).rename(context, ref, name)),
		);
	program
		.command("dump-core")
		.summary("write a guest's memory to a file")
		.description(
			"Writes a guest's memory and processors to a new file in domain 0, as an ELF core. It pauses meanwhile.",
		)
		.argument("<guest>")
		.argument("<file>", "a file that does not exist yet")
		.addHelpText("after", examples("dump-core web /var/tmp/web.core"))
		.action((ref: string, file: string) =>
			start(async (context) => (await import("../commands/dump-core.ts")).dumpCore(context, ref, file)),
		);
	program
		.command("qmp")
		.summary("run a QMP command on a guest's QEMU, or watch its events")
		.description("Runs a QMP command on a guest's QEMU, as far as the relay's policy allows, or watches its events.")
		.argument("<guest>")
		.argument("[command]")
		.argument("[arguments...]", "a JSON object, or key=value with values in JSON or as plain text")
		.option("--watch", "print QEMU's events until interrupted")
		.option("-t, --timeout <seconds>", "how long QEMU may take (default: 30)", secondsAsMs)
		.addHelpText("after", examples("qmp web query-status", "qmp web eject id=ide-5632 force=true", "qmp web --watch"))
		.action(
			(ref: string, command: string | undefined, values: string[], options: { watch?: boolean; timeout?: number }) =>
				start(async (context) => (await import("../commands/qmp.ts")).qmp(context, ref, command, values, options)),
		);
}
