import { InvalidInputError, printable } from "@bulkhead/base";

const PORTS = /^(?:0x)?([0-9a-f]{1,4})(?:-(?:0x)?([0-9a-f]{1,4}))?$/i;
const MEMORY = /^(?:0x)?([0-9a-f]{1,13}),(?:0x)?([0-9a-f]{1,13})(?:@(?:0x)?([0-9a-f]{1,13}))?$/i;
const LABEL = /^[A-Za-z0-9_.]{1,64}:[A-Za-z0-9_.]{1,64}:[A-Za-z0-9_.:-]{1,126}$/;

/** I/O ports in hex: "3f8", "3f8-3ff". @throws InvalidInputError */
export function checkIoPorts(text: string): string {
	const [all, from = "", to = from] = PORTS.exec(text) ?? [];
	if (all !== undefined && Number.parseInt(from, 16) <= Number.parseInt(to, 16))
		return from === to ? from.toLowerCase() : `${from}-${to}`.toLowerCase();
	throw new InvalidInputError(`"${printable(text, 32)}" is no range of I/O ports`, { remedy: 'Write hex: "3f8-3ff"' });
}

/** Pages of I/O memory in hex: "fed40,5", "fed40,5@fed40". @throws InvalidInputError */
export function checkIoMemory(text: string): string {
	const [all, start = "", count = "", at] = MEMORY.exec(text) ?? [];
	if (all !== undefined && Number.parseInt(count, 16) > 0)
		return `${start},${count}${at === undefined ? "" : `@${at}`}`.toLowerCase();
	throw new InvalidInputError(`"${printable(text, 32)}" is no range of I/O memory`, {
		remedy: 'Write the first page and how many, in hex: "fed40,5"',
	});
}

/** A FLASK label, user:role:type; whether the policy has it is for Xen to say. @throws InvalidInputError */
export function checkSecurityLabel(text: string): string {
	if (LABEL.test(text)) return text;
	throw new InvalidInputError(`"${printable(text, 64)}" is no security label`, {
		remedy: 'Write user:role:type: "system_u:system_r:domU_t"',
	});
}
