import { isAbsolute, resolve } from "node:path";
import { InvalidInputError, printable } from "@bulkhead/base";
import type { DiskSpec } from "./disk-spec.ts";
import type { DiskConfig, GuestConfig } from "./guest-config.ts";
import { XLCFG_LIMITS } from "./limits.ts";
import { parseVdev } from "./vdev.ts";

const BACKEND_DOM0: ReadonlySet<string> = new Set(["", "0", "Domain-0"]);
/** What blkback does anyway. */
const DEFAULT_FLAGS: ReadonlySet<string> = new Set(["discard", "trusted"]);

/** QEMU's IDE has two channels of two. */
const IDE_DISKS = 4;
const AHCI_DISKS = 6;
/** Linux in the stub domain names the emulated disks /dev/xvda to /dev/xvdz. */
const STUB_DISKS = 26;

/** The disk that a specification stands for. @throws InvalidInputError, also for what is not supported yet */
export function diskConfigOf(spec: DiskSpec, baseDir: string): DiskConfig {
	refuseUnsupported(spec);
	const cdrom = spec.devtype === "cdrom";
	if (!spec.vdev)
		throw new InvalidInputError("The disk lacks its vdev", {
			remedy: "Add vdev=hda, or another name of a virtual disk",
		});
	const path = spec.target ? checkPath(spec.target, baseDir) : undefined;
	if (path === undefined && !cdrom)
		throw new InvalidInputError("The disk lacks its target", {
			remedy: "Add target=PATH at the end; only a CD drive may be empty",
		});
	if (spec.format === "empty" && (path !== undefined || !cdrom))
		throw new InvalidInputError("Format empty is for a CD drive without a target");
	const { bus, index, partition, devnum } = parseVdev(spec.vdev);
	const readOnly = cdrom || spec.access === "r" || spec.access === "ro";
	const disk: DiskConfig = { vdev: spec.vdev, devnum, index, partition, bus, readOnly, cdrom, format: "raw" };
	return path === undefined ? disk : { ...disk, path };
}

function refuseUnsupported({ format, backend, backendtype, specification, script, flags }: DiskSpec): void {
	const refuse = (what: string, remedy: string): never => {
		throw new InvalidInputError(`${what} is not supported yet`, { remedy });
	};
	if (format && format !== "raw" && format !== "empty")
		refuse(`Disk format ${format}`, "Use a raw image: qemu-img convert -O raw makes one");
	if (backendtype && backendtype !== "phy")
		refuse(`Disk backend type ${backendtype}`, "Use phy, or leave it out: it serves block devices and raw files");
	if (!BACKEND_DOM0.has(backend ?? "")) refuse("A disk backend in another domain", "Leave backend= out");
	if (specification === "virtio") refuse("Disk specification virtio", "Leave specification= out");
	if (script) refuse(`Disk script ${printable(script, 64)}`, "Attach the block device first and name its path");
	const flag = flags.find((candidate) => !DEFAULT_FLAGS.has(candidate));
	if (flag !== undefined) refuse(`Disk parameter ${printable(flag, 64)}`, "Leave it out");
}

/** An absolute path of a length and alphabet that every part of the toolstack can carry. @throws InvalidInputError */
export function checkPath(path: string, baseDir: string): string {
	if (path === "") throw new InvalidInputError("The path is empty");
	if (/\p{Cc}/u.test(path))
		throw new InvalidInputError("The path has a control character", { remedy: "Rename the file" });
	const absolute = isAbsolute(path) ? path : resolve(baseDir, path);
	if (Buffer.byteLength(absolute) > XLCFG_LIMITS.pathBytes)
		throw new InvalidInputError(`The path is longer than ${XLCFG_LIMITS.pathBytes} bytes`);
	return absolute;
}

/**
 * Checks a disk against its guest and the disks before it. Answers a warning, or undefined.
 * @throws InvalidInputError when the guest cannot have it
 */
export function checkDiskFits(
	disk: DiskConfig,
	earlier: readonly DiskConfig[],
	{ type, hdType }: Pick<GuestConfig, "type" | "hdType">,
): string | undefined {
	for (const other of earlier) checkCollision(disk, other, type);
	if (type === "pv") return undefined;
	const { vdev, index, partition, bus, cdrom, readOnly } = disk;
	if (partition > 0)
		throw new InvalidInputError(`A partition (${vdev}) cannot be emulated`, {
			remedy: "Give an HVM guest whole disks",
		});
	if (cdrom) {
		if (index < IDE_DISKS) return undefined;
		throw new InvalidInputError(`A CD drive cannot be emulated as ${vdev}`, { remedy: "Use hda to hdd" });
	}
	if (bus === "scsi") return undefined;
	const controller = hdType === "ahci" && index < AHCI_DISKS ? "AHCI" : index < IDE_DISKS ? "IDE" : undefined;
	if (controller !== undefined && readOnly)
		throw new InvalidInputError(`A read-only ${controller} disk (${vdev}) cannot be emulated`, {
			remedy: "Use sda to sdp, a CD drive, or access=rw",
		});
	if (controller !== undefined && index < STUB_DISKS) return undefined;
	return `Disk ${vdev} is not emulated: the guest sees it through PV drivers only`;
}

function checkCollision(disk: DiskConfig, other: DiskConfig, type: GuestConfig["type"]): void {
	if (disk.devnum === other.devnum)
		throw new InvalidInputError(
			disk.vdev === other.vdev
				? `There are two disks ${disk.vdev}`
				: `Disks ${other.vdev} and ${disk.vdev} are the same virtual device`,
			{ remedy: "Give each disk a vdev of its own" },
		);
	if (type === "hvm" && disk.index === other.index)
		throw new InvalidInputError(
			`Disks ${other.vdev} and ${disk.vdev} collide: both are xvd${String.fromCharCode(97 + (disk.index % 26))} in the stub domain`,
			{ remedy: "Use another letter for one of them" },
		);
}
