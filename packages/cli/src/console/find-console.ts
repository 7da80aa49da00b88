import { type ApiClient, ApiError, type Guest, type OtherConsole } from "@bulkhead/api/client";
import { BulkheadError, InvalidInputError, type Uuid } from "@bulkhead/base";
import type { ConsoleFlags } from "../program/console-command.ts";

export interface FoundConsole {
	guest: Uuid;
	label: string;
	/** It is the console of another toolstack's domain. */
	isOthers: boolean;
	/** For messages. */
	title: string;
}

/**
 * A console of one of our guests, or of another toolstack's domain when the daemon serves those.
 * @throws ApiError `no-such-guest`; BulkheadError `console-not-served`; InvalidInputError `no-such-console`,
 * `console-elsewhere`
 */
export async function findConsole(client: ApiClient, ref: string, flags: ConsoleFlags): Promise<FoundConsole> {
	try {
		return ofGuest(await client.guest(ref), flags);
	} catch (error) {
		if (!(error instanceof ApiError) || error.code !== "no-such-guest") throw error;
		const others = await client.otherConsoles().catch(() => []);
		const other = others.find(({ name, uuid, domid }) => name === ref || uuid === ref || `${domid}` === ref);
		if (!other) throw error;
		return ofOther(other, flags);
	}
}

function ofGuest(guest: Guest, flags: ConsoleFlags): FoundConsole {
	const label = consoleLabel(guest, flags);
	refuseQemusPty(guest, label);
	return { guest: guest.uuid, label, isOthers: false, title: `${guest.name}'s console ${label}` };
}

function ofOther({ uuid, name, domid, label, problem }: OtherConsole, { type, number }: ConsoleFlags): FoundConsole {
	if (problem !== undefined)
		throw new BulkheadError("console-not-served", `The console of domain ${domid} is not served: ${problem}`, {
			remedy: "See `bulkhead doctor`",
		});
	if ((type ?? "pv") !== "pv" || (number ?? 0) !== 0)
		throw new InvalidInputError(
			`Domain ${domid} is another toolstack's: only its PV console is served`,
			{ remedy: `Use \`xl console\` for its others` },
			"no-such-console",
		);
	return { guest: uuid, label, isOthers: true, title: `${name}'s console` };
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
