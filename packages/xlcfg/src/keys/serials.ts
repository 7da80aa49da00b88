import { InvalidInputError } from "@bulkhead/base";
import { XLCFG_LIMITS } from "../limits.ts";
import { checkValue } from "../specs/parameters.ts";
import type { ConfigReader } from "./config-reader.ts";
import { readEach } from "./read-path.ts";

/** An HVM guest's serial ports in order: "pty", "none", or what QEMU's -serial takes. Ports that end the list with "none" are no ports. */
export function readSerials(reader: ConfigReader): string[] {
	const serials = readEach(reader, "serial", checkSerial, { single: true });
	while (serials.at(-1) === "none") serials.pop();
	if (serials.length > XLCFG_LIMITS.serialPorts)
		reader.refuse("serial", `A guest has at most ${XLCFG_LIMITS.serialPorts} serial ports`);
	return serials;
}

/** @throws InvalidInputError */
export function checkSerial(text: string): string {
	if (text === "" || text.startsWith("-"))
		throw new InvalidInputError("A serial port is empty or begins with a dash", { remedy: 'Write "pty" or "none"' });
	return checkValue("The guest", "serial", text);
}
