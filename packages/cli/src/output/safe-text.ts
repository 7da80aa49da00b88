import { printable } from "@bulkhead/base";

const LONGEST_LINE = 10_000;

/** Text of many lines from a guest, Xen or QEMU, made safe for a terminal line by line; tabs become spaces. */
export function safeText(text: string): string {
	return text
		.split(/\r?\n/)
		.map((line) => printable(line.replaceAll("\t", "        "), LONGEST_LINE))
		.join("\n");
}
