import type { AttachImage, ImageFormat } from "../ports/image-devices.ts";

const DRIVERS: Readonly<Record<ImageFormat, string>> = { qcow2: "qcow2", qcow: "qcow", vhd: "vpc", qed: "qed" };
/** Formats whose header may name another image below this one. */
const HAS_BACKING: ReadonlySet<ImageFormat> = new Set(["qcow2", "qcow", "qed"]);

type Image = Pick<AttachImage, "path" | "isBlockDevice" | "format" | "readOnly" | "discard">;

/**
 * qemu-nbd's arguments. Format and file are said in JSON: nothing is guessed from the contents, no path is taken for a
 * protocol, and no backing file is opened whatever the header says.
 */
export function imageServerArgs({ path, isBlockDevice, format, readOnly, discard }: Image, socket: string): string[] {
	const image = {
		driver: DRIVERS[format],
		...(HAS_BACKING.has(format) && { backing: null }),
		file: { driver: isBlockDevice ? "host_device" : "file", filename: path },
	};
	return [
		"--fork",
		`--socket=${socket}`,
		"--shared=1",
		"--cache=writeback",
		`--discard=${discard ? "unmap" : "ignore"}`,
		...(readOnly ? ["--read-only"] : []),
		`json:${JSON.stringify(image)}`,
	];
}
