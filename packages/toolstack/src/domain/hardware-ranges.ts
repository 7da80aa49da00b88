import { InvalidInputError } from "@bulkhead/base";
import type { HardwareRange } from "@bulkhead/hypervisor";

export interface MemoryGrant extends HardwareRange {
	/** Where the frames appear in the guest. */
	guestFrame: number;
}

const PORTS = /^(?<first>[0-9a-f]{1,4})(?:-(?<last>[0-9a-f]{1,4}))?$/i;
const FRAMES = /^(?<first>[0-9a-f]{1,10}),(?<count>[0-9a-f]{1,10})(?:@(?<guest>[0-9a-f]{1,10}))?$/i;

/** "3f8-3ff" (xl.cfg(5): ioports). @throws InvalidInputError */
export function parsePortRange(text: string): HardwareRange {
	const { first = "", last = first } = PORTS.exec(text.replaceAll("0x", ""))?.groups ?? {};
	const range = {
		first: Number.parseInt(first, 16),
		count: Number.parseInt(last, 16) - Number.parseInt(first, 16) + 1,
	};
	if (range.count >= 1) return range;
	throw rangeError("ioports", text, 'Write hexadecimal port numbers: "2f8-2ff" or "3f8"');
}

/** "fed40,5@fed40" (xl.cfg(5): iomem), frames in hexadecimal. @throws InvalidInputError */
export function parseMemoryRange(text: string): MemoryGrant {
	const { first, count, guest = first } = FRAMES.exec(text.replaceAll("0x", ""))?.groups ?? {};
	if (first !== undefined && count !== undefined && guest !== undefined && Number.parseInt(count, 16) >= 1)
		return {
			first: Number.parseInt(first, 16),
			count: Number.parseInt(count, 16),
			guestFrame: Number.parseInt(guest, 16),
		};
	throw rangeError("iomem", text, 'Write hexadecimal frame numbers: "fed40,5" or "fed40,5@fed40"');
}

function rangeError(key: string, text: string, remedy: string): InvalidInputError {
	return new InvalidInputError(`${key} cannot be ${JSON.stringify(text)}`, { remedy, fields: { key, text } });
}
