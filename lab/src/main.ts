import { stripVTControlCharacters } from "node:util";
import { BulkheadError } from "@bulkhead/base";
import { Command, Option } from "commander";
import { XENSTOREDS, type XenstoredName } from "./lab-state.ts";

const started = Date.now();
/** Progress goes to standard error: standard output belongs to the command. */
const onProgress = (line: string): void => {
	process.stderr.write(`lab: ${((Date.now() - started) / 1000).toFixed(1).padStart(6)} s  ${line}\n`);
};
/** For a person at work, a part that does not build just now is no reason to go without a lab. */
const onBroken = (part: string, error: unknown): void => {
	const text = stripVTControlCharacters(error instanceof Error ? error.message : String(error));
	onProgress(`LEFT OUT ${part}, which does not build: ${text.trim().split("\n").slice(0, 6).join("\n    ")}`);
};

const program = new Command("lab")
	.description("A real Xen host under QEMU, for tests and for trying things out")
	.enablePositionalOptions();

program
	.command("up")
	.description("build what is missing and boot; does nothing when the lab is up")
	.addOption(
		new Option("--release <codename>", "Debian release of the host (default: the machine's own)").env(
			"BULKHEAD_LAB_RELEASE",
		),
	)
	.addOption(
		new Option("--xenstored <name>", "which of Xen's two serves the host")
			.choices(XENSTOREDS)
			.env("BULKHEAD_LAB_XENSTORED"),
	)
	.action(async (options: { release?: string; xenstored?: XenstoredName }) => {
		const interrupted = new AbortController();
		process.once("SIGINT", () => interrupted.abort(new Error("Interrupted")));
		const { Lab } = await import("./lab.ts");
		await Lab.up({ ...options, signal: interrupted.signal, onProgress, onBroken });
	});

program
	.command("down")
	.description("power the lab off and leave nothing running")
	.action(async () => {
		const { Lab } = await import("./lab.ts");
		onProgress((await Lab.down(onProgress)) ? "down" : "was not running");
	});

program
	.command("status")
	.description("say whether the lab runs, and what it is made of")
	.option("--json", "for programs")
	.action(async (options: { json?: boolean }) => {
		const { printStatus } = await import("./commands/status.ts");
		await printStatus(options.json === true);
	});

program
	.command("exec")
	.description("run a program in dom0 with exactly these arguments: lab exec -- xl list")
	.argument("<argv...>")
	.option("-t, --tty", "on a terminal of its own, for programs that want one")
	.passThroughOptions()
	.action(async (argv: [string, ...string[]], { tty }: { tty?: boolean }) => {
		const { execInDom0 } = await import("./commands/exec.ts");
		const { openTerminal } = await import("./commands/shell.ts");
		process.exitCode = await (tty ? openTerminal(argv) : execInDom0(argv));
	});

program
	.command("shell")
	.description("a root shell in dom0")
	.action(async () => {
		const { openTerminal } = await import("./commands/shell.ts");
		process.exitCode = await openTerminal();
	});

program
	.command("console")
	.description("dom0's serial console; Ctrl-] leaves")
	.action(async () => {
		const { attachConsole } = await import("./commands/console.ts");
		await attachConsole();
	});

program
	.command("logs")
	.description("what the machine, the hypervisor and the daemons wrote")
	.addArgument(
		new Command().createArgument("[which]").choices(["serial", "hypervisor", "daemons", "all"]).default("all"),
	)
	.option("-f, --follow", "go on as they write more")
	.action(async (which: "serial" | "hypervisor" | "daemons" | "all", options: { follow?: boolean }) => {
		const { printLogs } = await import("./commands/logs.ts");
		await printLogs(which, options.follow === true);
	});

program
	.command("push")
	.description("rebuild the project's programs and bring what changed into the running dom0")
	.action(async () => {
		const { pushProject } = await import("./push.ts");
		const { Lab } = await import("./lab.ts");
		await pushProject(await Lab.attach(), onProgress, onBroken);
	});

try {
	await program.parseAsync();
} catch (error) {
	if (!(error instanceof BulkheadError)) throw error;
	process.stderr.write(`lab: ${error.message}\n`);
	if (error.remedy) process.stderr.write(`lab: ${error.remedy}\n`);
	process.exitCode = 1;
}
