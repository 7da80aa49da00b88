import { isIP } from "node:net";
import { InvalidInputError, isLoopback } from "@bulkhead/base";
import type { VncConfig } from "@bulkhead/xlcfg";

/** What the host's administrator says of viewers on TCP. */
export interface ScreenPolicy {
	/** Files in PEM: with them, every viewer on TCP must speak TLS. */
	tls?: { cert: string; key: string };
	/** A listener beyond loopback with neither TLS nor password is let be, where a guest's config asks for one. */
	allowPlain: boolean;
}

const FIRST_PORT = 5900;
const LAST_PORT = 65_535;
/** Displays that are tried after the first: from 0 on, those of libxl's `to=99`. */
const MORE_TRIED = 99;

/** The address without brackets. @throws InvalidInputError `screen-refused` for a name: who it stands for may change */
export function listenAddress({ listen }: VncConfig): string {
	const address = listen.replace(/^\[(.*)\]$/, "$1");
	if (address === "" || address === "localhost") return "127.0.0.1";
	if (isIP(address) !== 0) return address;
	throw refused(`The VNC address "${listen}" is no address`, "Write one in numbers: 127.0.0.1, 0.0.0.0, ::1");
}

/** The ports that may be taken, in their order. */
export function listenPorts({ display, findUnused }: VncConfig): number[] {
	const first = FIRST_PORT + display;
	const last = Math.min(LAST_PORT, findUnused ? first + MORE_TRIED : first);
	return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/**
 * A screen that anybody on the network may see and type into is refused, unless it is asked for twice: by the guest's
 * config and by the host's administrator. @throws InvalidInputError `screen-refused`
 */
export function checkListener(vnc: VncConfig, { tls, allowPlain }: ScreenPolicy): void {
	const address = listenAddress(vnc);
	if (tls || vnc.password !== undefined || allowPlain || isLoopback(address)) return;
	throw refused(
		`A screen on ${address} without password and TLS would be anybody's`,
		"Set vncpasswd, or give bulkheadd a certificate (--vnc-tls-cert, --vnc-tls-key), or leave vnclisten at 127.0.0.1; if it is really meant, start bulkheadd with --vnc-allow-plain",
	);
}

/** What is permitted and still worth a word: eight characters, and everything that is seen and typed in the clear. */
export function listenerWarning(vnc: VncConfig, { tls, allowPlain }: ScreenPolicy): string | undefined {
	const address = listenAddress(vnc);
	if (tls || isLoopback(address)) return undefined;
	if (vnc.password !== undefined)
		return "VNC on the network with a password and without TLS: what is seen and typed can be read and changed on its way";
	return allowPlain ? "VNC on the network with neither password nor TLS: anybody can see and type" : undefined;
}

function refused(message: string, remedy: string): InvalidInputError {
	return new InvalidInputError(message, { remedy }, "screen-refused");
}
