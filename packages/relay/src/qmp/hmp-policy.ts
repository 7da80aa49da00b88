import { PeerRefusedError } from "@bulkhead/base";

/** QMP's way into QEMU's monitor for people, which can do everything: its command line is looked into. */
export const HMP_COMMAND = "human-monitor-command";

const LONGEST = 256;
/** One command and plain words: nothing that HMP takes for a format, a file's name in quotes or an option. */
const LINE = /^[a-z][a-z0-9_-]*(?: [A-Za-z0-9_./:+-]+)*$/;

/**
 * Words behind "info" that look, and change nothing: states of the machine and of its devices. Left out: what shows the
 * guest's memory or registers or what QEMU's own process has, and what opens an image anew.
 */
export const LOOKING: ReadonlySet<string> = new Set([
	...["balloon", "block", "block-jobs", "blockstats", "chardev", "cpus", "hotpluggable-cpus", "iothreads", "irq"],
	...[
		"lapic",
		"memdev",
		"memory-devices",
		"memory_size_summary",
		"mice",
		"migrate",
		"mtree",
		"name",
		"network",
		"numa",
	],
	...["pci", "pic", "qdm", "qom-tree", "qtree", "roms", "status", "usb", "uuid", "version", "vnc"],
]);

/** What QMP allows the same roles under its own names. */
const ACTING: ReadonlySet<string> = new Set([
	...["cont", "mouse_button", "mouse_move", "mouse_set", "nmi", "sendkey", "stop"],
	...["system_powerdown", "system_reset", "system_wakeup"],
]);

/** Whether a command line of HMP only looks. */
export function isLooking(line: unknown): boolean {
	return typeof line === "string" && LINE.test(line) && isLookingLine(line);
}

function isLookingLine(line: string): boolean {
	const [command, topic] = line.split(" ");
	return command === "info" && topic !== undefined && LOOKING.has(topic);
}

/**
 * Checks a command line of HMP. `mayAct`: the role may change the guest's state, too.
 * @throws PeerRefusedError `hmp-command-refused`
 */
export function checkHmp(args: Record<string, unknown> | undefined, { mayAct }: { mayAct: boolean }): void {
	const { "command-line": line, ...others } = args ?? {};
	if (typeof line !== "string" || line.length > LONGEST || !LINE.test(line))
		throw refusal("The command line is none, or has more than plain words");
	if (Object.keys(others).some((name) => name !== "cpu-index"))
		throw refusal("Only command-line and cpu-index are taken");
	if (isLookingLine(line) || (mayAct && ACTING.has(line.split(" ", 1)[0] ?? ""))) return;
	throw refusal(`The monitor's command ${line.split(" ").slice(0, 2).join(" ").slice(0, 64)} is not allowed`);
}

function refusal(message: string): PeerRefusedError {
	return new PeerRefusedError("hmp-command-refused", message, {
		remedy: `Allowed are info with ${[...LOOKING].join(", ")}; to change something use bulkhead's own commands, or QMP`,
		fields: { command: HMP_COMMAND },
	});
}
