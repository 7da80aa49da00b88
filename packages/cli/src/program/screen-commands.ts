import { type Command, InvalidArgumentError } from "commander";
import { examples, secondsAsMs } from "./arguments.ts";
import type { StartCommand } from "./start-command.ts";

const VNCVIEWER = `Runs a VNC viewer on a guest's screen: the one named by --viewer or, of those in PATH, the first of xtigervncviewer,
vncviewer, xtightvncviewer, gvncviewer, remote-viewer, vinagre. It is given a port of this host that serves it alone
and is closed then. No password is asked for: whoever may use the relay's socket may see the screen.`;

const SENDKEY = `Presses keys of a guest's keyboard: combinations in QEMU's names, joined by "-", one after the other; or, with --text,
the keys that type a text on a US keyboard. The guest's own layout decides what they mean.`;

const MONITOR = `Runs one command of QEMU's monitor for people (HMP), as far as the relay's list allows: info with a topic that only
shows states, sendkey, mouse_…, stop, cont, nmi and system_…. It can do anything to the host of a QEMU otherwise.`;

/** Commands for a guest's screen, keyboard and monitor. */
export function addScreenCommands(program: Command, start: StartCommand): void {
	program
		.command("screen")
		.summary("print a URL by which a browser sees a guest's screen")
		.description(
			"Prints a URL by which one browser sees a guest's screen, once, within a minute. Needs bulkheadd --http-listen.",
		)
		.argument("<guest>")
		.option("--open", "open it in this user's browser ($BROWSER, or xdg-open) instead")
		.addHelpText("after", examples("screen web", "screen --open web", "--json screen web | jq -r .url"))
		.action((ref: string, options: { open?: boolean }) =>
			start(async (context) => (await import("../commands/screen.ts")).screen(context, ref, options)),
		);
	program
		.command("vncviewer")
		.summary("run a VNC viewer on a guest's screen")
		.description(VNCVIEWER)
		.argument("<guest>")
		.option("-a, --autopass", "as in xl; there is no password to pass")
		.option("--viewer <program>", "a name in PATH, or a path; it is given ADDRESS::PORT")
		.addHelpText("after", examples("vncviewer web", "vncviewer --viewer gvncviewer web"))
		.action((ref: string, options: { viewer?: string }) =>
			start(async (context) => (await import("../commands/vncviewer.ts")).vncviewer(context, ref, options)),
		);
	program
		.command("screenshot")
		.summary("write a picture of a guest's screen")
		.description(
			"Writes a picture of a guest's screen to a PNG file (- is standard output). One that is there is written over.",
		)
		.argument("<guest>")
		.argument("<file>")
		.option("-t, --timeout <seconds>", "how long the screen may take (default: 30)", secondsAsMs)
		.addHelpText("after", examples("screenshot web web.png", "screenshot web - | display"))
		.action((ref: string, file: string, options: { timeout?: number }) =>
			start(async (context) => (await import("../commands/screenshot.ts")).screenshot(context, ref, file, options)),
		);
	program
		.command("sendkey")
		.summary("press keys of a guest's keyboard")
		.description(SENDKEY)
		.argument("<guest>")
		.argument("[keys...]", "ctrl-alt-delete, f1, ret, 0x1c …")
		.option("--text <text>", "type this; \\n, \\t, \\e and \\\\ stand for Enter, Tab, Esc and a backslash")
		.option("--hold <ms>", "how long each is held (default: 100, with --text 20)", holdTime)
		.addHelpText(
			"after",
			examples("sendkey web ctrl-alt-delete", "sendkey web ctrl-alt-f2 ret", "sendkey web --text 'ls\\n'"),
		)
		.action((ref: string, keys: string[], options: { text?: string; hold?: number }) =>
			start(async (context) => (await import("../commands/sendkey.ts")).sendkey(context, ref, keys, options)),
		);
	program
		.command("qemu-monitor-command")
		.summary("run a command of QEMU's monitor, as far as it is allowed")
		.description(MONITOR)
		.argument("<guest>")
		.argument("<command...>")
		.addHelpText("after", examples("qemu-monitor-command web info pci", "qemu-monitor-command web 'info mtree -f'"))
		.action((ref: string, words: string[]) =>
			start(async (context) => (await import("../commands/monitor.ts")).qemuMonitorCommand(context, ref, words)),
		);
}

function holdTime(text: string): number {
	const ms = Number(text);
	if (!/^[0-9]{1,4}$/.test(text) || ms < 1) throw new InvalidArgumentError("Give milliseconds, 1 to 9999.");
	return ms;
}
