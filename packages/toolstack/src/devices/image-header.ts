import type { ImageFormat } from "@bulkhead/hypervisor";

/** As much of an image's beginning as its header is looked for in. */
export const HEADER_BYTES = 512;

const QFI = 0x514649fb;
const QED = "QED\0";
const VHD_COOKIE = "conectix";

/** qcow2.txt: incompatible_features. */
const QCOW2_EXTERNAL_DATA = 1n << 2n;
/** qed_spec.txt: features. */
const QED_BACKING = 1n;
const VHD_FIXED = 2;
const VHD_DYNAMIC = 3;

const elsewhere = (what: string): string => `has its data in ${what}, which is not opened`;
const WRONG = "is no image of that format";

/**
 * Why an image is not served, or undefined. A header is whatever an image's maker wrote: a backing file, or a data file,
 * could be any file of the host. `head` is the first HEADER_BYTES, or less of a smaller file; a fixed VHD has its header at
 * its end: `tail` is its last 512 bytes.
 */
export function imageHeaderProblem(format: ImageFormat, head: Buffer, tail: Buffer): string | undefined {
	switch (format) {
		case "qcow2":
			return qcow2Problem(head);
		case "qcow":
			if (head.length < 48 || head.readUInt32BE(0) !== QFI || head.readUInt32BE(4) !== 1) return WRONG;
			if (head.readBigUInt64BE(8) !== 0n) return elsewhere("a backing file");
			return head.readUInt32BE(36) === 0 ? undefined : "is encrypted";
		case "qed":
			if (head.length < 64 || head.toString("latin1", 0, 4) !== QED) return WRONG;
			return (head.readBigUInt64LE(16) & QED_BACKING) === 0n ? undefined : elsewhere("a backing file");
		case "vhd":
			return vhdProblem(head, tail);
	}
}

function qcow2Problem(head: Buffer): string | undefined {
	if (head.length < 72 || head.readUInt32BE(0) !== QFI) return WRONG;
	const version = head.readUInt32BE(4);
	if (version !== 2 && version !== 3) return WRONG;
	if (head.readBigUInt64BE(8) !== 0n) return elsewhere("a backing file");
	if (head.readUInt32BE(32) !== 0) return "is encrypted";
	if (version === 2) return undefined;
	if (head.length < 104) return WRONG;
	return (head.readBigUInt64BE(72) & QCOW2_EXTERNAL_DATA) === 0n ? undefined : elsewhere("another file");
}

/** A dynamic one has a copy of its footer at its beginning. */
function vhdProblem(head: Buffer, tail: Buffer): string | undefined {
	const footer = [head, tail].find((each) => each.length >= 64 && each.toString("latin1", 0, 8) === VHD_COOKIE);
	if (!footer) return WRONG;
	const type = footer.readUInt32BE(60);
	return type === VHD_FIXED || type === VHD_DYNAMIC ? undefined : elsewhere("a parent image");
}
