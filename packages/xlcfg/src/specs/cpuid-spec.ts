import { InvalidInputError, printable } from "@bulkhead/base";

const FLAG = /^[a-z][a-z0-9_.-]{0,31}=(?:[01xks]|0x[0-9a-f]{1,8}|[0-9]{1,10}|[A-Za-z0-9 ]{12})$/i;
const LEAF = /^(?:0x[0-9a-f]{1,8}|[0-9]{1,10})(?:,(?:0x[0-9a-f]{1,8}|[0-9]{1,10}))?$/i;
const REGISTER = /^e[abcd]x=(?:[01xks]{32}|0x[0-9a-f]{1,8})$/i;
const LONGEST = 1024;

/** Whether a setting is of the list form, "0x1:ecx=…". */
export function isLeafSpec(text: string): boolean {
	return /^(?:0x[0-9a-f]+|[0-9]+)(?:,|:)/i.test(text);
}

/**
 * Checks how a cpuid setting is worded: "host,tm=0,sse3=0" as a string, or "0x1:ecx=x…,edx=x…" in a list. Which flags
 * there are is for Xen to say.
 * @throws InvalidInputError
 */
export function checkCpuid(text: string): string {
	if (text.length > LONGEST) throw new InvalidInputError(`A cpuid setting is longer than ${LONGEST} characters`);
	if (isLeafSpec(text)) checkLeaf(text);
	else checkFlags(text);
	return text;
}

function checkFlags(text: string): void {
	const [first, ...rest] = text.split(",").map((part) => part.trim());
	const flags = first === "host" ? rest : [first ?? "", ...rest];
	const bad = flags.find((flag) => !FLAG.test(flag));
	if (bad !== undefined)
		throw new InvalidInputError(`"${printable(bad, 64)}" is no cpuid flag`, {
			remedy: "Write \"host,FLAG=0\": 1 sets, 0 clears, x is Xen's default, k the host's, s kept over a migration",
		});
}

function checkLeaf(text: string): void {
	const colon = text.indexOf(":");
	const registers = text
		.slice(colon + 1)
		.split(",")
		.map((part) => part.trim());
	const bad = registers.find((register) => !REGISTER.test(register));
	if (colon === -1 || !LEAF.test(text.slice(0, colon)) || bad !== undefined)
		throw new InvalidInputError(`"${printable(text, 64)}" is no cpuid leaf`, {
			remedy: 'Write "0x1:ecx=" and 32 of the letters 0, 1, x, k, s',
		});
}
