import { InvalidInputError } from "@bulkhead/base";

/**
 * The "new ASCII" cpio format that Linux takes as an initramfs (Documentation/driver-api/early-userspace/buffer-format).
 * Pure: bytes of one member's header; who writes the file's content pads it with `paddingTo(4, size)`.
 */
export interface CpioHeader {
	inode: number;
	/** Type bits and permissions, as in st_mode. */
	mode: number;
	links: number;
	sizeBytes: number;
	rdevMajor?: number;
	rdevMinor?: number;
	/** Relative, without a leading slash. */
	path: string;
}

export const CPIO_TRAILER = "TRAILER!!!";
/** The last field of a header holds sizes of up to 32 bits. */
export const CPIO_MAX_FILE_BYTES = 0xffff_ffff;
const HEADER_BYTES = 110;
/** PATH_MAX of Linux: longer names are ignored by the kernel's unpacker. */
const MAX_PATH_BYTES = 4096;

/** Header and name of one member, padded to 4 bytes. Owner root, time 0, no device: the same bytes on every machine. */
export function encodeCpioHeader(header: CpioHeader): Buffer {
	const name = Buffer.from(`${header.path}\0`, "utf8");
	if (name.length > MAX_PATH_BYTES || header.path === "") {
		throw new InvalidInputError(`A cpio member's name must have 1 to ${MAX_PATH_BYTES - 1} bytes`, {
			fields: { path: header.path },
		});
	}
	const fields = [
		header.inode,
		header.mode,
		0, // uid
		0, // gid
		header.links,
		0, // mtime
		header.sizeBytes,
		0, // device major
		0, // device minor
		header.rdevMajor ?? 0,
		header.rdevMinor ?? 0,
		name.length,
		0, // checksum, only used by the "crc" variant
	];
	const text = `070701${fields.map((field) => hex8(field, header.path)).join("")}`;
	return Buffer.concat([Buffer.from(text, "ascii"), name, Buffer.alloc(paddingTo(4, HEADER_BYTES + name.length))]);
}

/** Bytes missing to the next multiple of `unit`. */
export function paddingTo(unit: number, length: number): number {
	return (unit - (length % unit)) % unit;
}

function hex8(value: number, path: string): string {
	if (!Number.isInteger(value) || value < 0 || value > CPIO_MAX_FILE_BYTES) {
		throw new InvalidInputError(`${value} does not fit a cpio header field`, { fields: { path } });
	}
	return value.toString(16).padStart(8, "0").toUpperCase();
}
