import { randomBytes } from "node:crypto";
import { InvalidInputError, printable } from "@bulkhead/base";

const MAC = /^[0-9a-f]{1,2}(?::[0-9a-f]{1,2}){5}$/i;

/**
 * Six hex numbers with colons, in lower case with two digits each. (xl goes on with half an address.)
 * @throws InvalidInputError
 */
export function parseMac(text: string): string {
	const shown = `"${printable(text, 32)}"`;
	if (!MAC.test(text))
		throw new InvalidInputError(`${shown} is not a MAC address`, {
			remedy: "Write six hex numbers: 00:16:3e:01:02:03",
		});
	const bytes = text.split(":").map((byte) => Number.parseInt(byte, 16));
	if (((bytes[0] ?? 0) & 1) === 1)
		throw new InvalidInputError(`${shown} is the address of a group, not of an interface`, {
			remedy: "Make the first byte even",
		});
	if (bytes.every((byte) => byte === 0)) throw new InvalidInputError(`${shown} is not an interface's address`);
	return formatMac(bytes);
}

/** A random address in Xen's range 00:16:3e, as xl draws one: 23 random bits. */
export function makeRandomMac(): string {
	const [first = 0, second = 0, third = 0] = randomBytes(3);
	return formatMac([0x00, 0x16, 0x3e, first & 0x7f, second, third]);
}

const formatMac = (bytes: readonly number[]): string =>
	bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(":");
