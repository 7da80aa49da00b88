import type { GuestConfig } from "@bulkhead/xlcfg";
import { type ArgsPlace, inStub } from "./args-place.ts";
import { wholeArgument } from "./option-text.ts";

/** The first console of a stub domain that carries a serial port of its guest: 0 log, 1 save, 2 restore (stubdom.txt). */
export const FIRST_SERIAL_CONSOLE = 3;

/** One serial port of the guest with the stub domain's console that carries it. */
export interface SerialConsole {
	/** 0 is COM1. */
	port: number;
	/** Number of the PV console. */
	index: number;
}

/**
 * The consoles that a stub domain needs for its guest's serial ports. A port "none" has none, and the others close up:
 * Linux numbers /dev/hvcN by the order in which it finds consoles, not by their devids.
 */
export function serialConsoles({ serials }: Pick<GuestConfig, "serials">): SerialConsole[] {
	return serials
		.map((serial, port) => ({ serial, port }))
		.filter(({ serial }) => serial !== "none")
		.map(({ port }, at) => ({ port, index: FIRST_SERIAL_CONSOLE + at }));
}

/**
 * QEMU numbers ports by their order and passes "none" over, so a gap is a port that leads nowhere ("null"); after the last
 * real port there is nothing.
 */
export function serialArgs(config: Pick<GuestConfig, "serials">, place: ArgsPlace): string[] {
	const { serials } = config;
	const consoles = serialConsoles(config);
	const last = consoles.at(-1)?.port ?? -1;
	return serials.slice(0, last + 1).flatMap((serial, port) => {
		const found = consoles.find((console) => console.port === port);
		if (!found) return ["-serial", "null"];
		return ["-serial", inStub(place) ? `/dev/hvc${found.index}` : wholeArgument("serial port", serial)];
	});
}
