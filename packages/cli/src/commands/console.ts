import type { Guest } from "@bulkhead/api/client";
import { RELAY_PATHS } from "@bulkhead/api/client";
import { InvalidInputError } from "@bulkhead/base";
import { ConsoleSession } from "@bulkhead/console";
import type { CommandContext } from "../command-context.ts";
import { connectTerminal } from "../console/connect-terminal.ts";
import type { ConsoleFlags } from "../program/look-commands.ts";

/** Attaches this terminal to a guest's console until Ctrl-], the console's end or a signal. */
export async function console(context: CommandContext, ref: string, flags: ConsoleFlags): Promise<number | undefined> {
	const guest = await context.client.guest(ref);
	const label = consoleLabel(guest, flags);
	refuseQemusPty(guest, label);
	const session = await ConsoleSession.open({
		socketPath: context.io.env.BULKHEAD_CONSOLE_SOCKET ?? RELAY_PATHS.consoleSocket,
		guest: guest.uuid,
		console: label,
		from: flags.tail ? "tail" : (flags.from ?? "live"),
		// The stub domain's log has nobody to read what is typed.
		input: !flags.readOnly && label !== "stub",
	});
	return connectTerminal(context, session, { title: `${guest.name}'s console ${label}`, until: flags.until });
}

/**
 * A serial port of a QEMU in domain 0 is that QEMU's pty, not the relay's to serve.
 * @throws InvalidInputError `console-elsewhere`
 */
function refuseQemusPty({ name, localQemu, consoles }: Guest, label: string): void {
	const found = consoles.find((one) => one.label === label);
	if (!localQemu || found?.ptyPath === undefined || found.kind !== "serial") return;
	throw new InvalidInputError(
		`Console ${label} of ${name} is served by its QEMU in domain 0, on ${found.ptyPath}`,
		{
			remedy: `Use \`socat -,raw,echo=0,escape=0x1d ${found.ptyPath},raw,echo=0\`, or \`xl console -t serial ${name}\``,
		},
		"console-elsewhere",
	);
}

/** @throws InvalidInputError `no-such-console` */
function consoleLabel(guest: Guest, { type, number }: ConsoleFlags): string {
	const kind = type ?? (number !== undefined || guest.consoles.some((one) => one.kind === "serial") ? "serial" : "pv");
	const label = kind === "serial" ? `serial${number ?? 0}` : kind;
	if (guest.consoles.some((one) => one.label === label)) return label;
	const labels = guest.consoles.map((one) => one.label).join(", ");
	throw new InvalidInputError(
		`Guest ${guest.name} has no console ${label}`,
		{ remedy: labels === "" ? "See `bulkhead list -l`" : `It has ${labels}` },
		"no-such-console",
	);
}
