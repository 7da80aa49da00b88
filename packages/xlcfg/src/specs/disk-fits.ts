import { InvalidInputError } from "@bulkhead/base";
import type { DeviceModelConfig, DiskConfig, GuestType } from "../guest-config.ts";

/** QEMU's IDE has two channels of two. */
const IDE_DISKS = 4;
const AHCI_DISKS = 6;
/** Linux in the stub domain names the emulated disks /dev/xvda to /dev/xvdz. */
const STUB_DISKS = 26;

export interface DiskGuest {
	type: GuestType;
	hdType: "ide" | "ahci";
	/** Where QEMU runs; undefined for a guest without one. */
	place: DeviceModelConfig["place"] | undefined;
}

/**
 * Checks a disk against its guest and the disks before it. Answers a warning, or undefined.
 * @throws InvalidInputError when the guest cannot have it
 */
export function checkDiskFits(
	disk: DiskConfig,
	earlier: readonly DiskConfig[],
	{ type, hdType, place }: DiskGuest,
): string | undefined {
	const inStub = type === "hvm" && place !== "dom0";
	for (const other of earlier) checkCollision(disk, other, inStub);
	if (type !== "hvm") return undefined;
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

function checkCollision(disk: DiskConfig, other: DiskConfig, inStub: boolean): void {
	if (disk.devnum === other.devnum)
		throw new InvalidInputError(
			disk.vdev === other.vdev
				? `There are two disks ${disk.vdev}`
				: `Disks ${other.vdev} and ${disk.vdev} are the same virtual device`,
			{ remedy: "Give each disk a vdev of its own" },
		);
	if (inStub && disk.index === other.index)
		throw new InvalidInputError(
			`Disks ${other.vdev} and ${disk.vdev} collide: both are xvd${String.fromCharCode(97 + (disk.index % 26))} in the stub domain`,
			{ remedy: "Use another letter for one of them" },
		);
}
