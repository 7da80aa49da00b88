import { InvalidInputError } from "@bulkhead/base";
import type { DiskConfig, GuestConfig } from "@bulkhead/xlcfg";
import { type ArgsPlace, inStub } from "./args-place.ts";
import { optionValue } from "./option-text.ts";

const IDE_DISKS = 4;
const AHCI_DISKS = 6;
const SCSI_DISKS = 16;
/** The stub's names end with /dev/xvdz. */
const STUB_DISKS = 26;

/** QEMU's names of image formats, where they differ from xl's. */
const FORMATS: Readonly<Record<DiskConfig["format"], string>> = {
	raw: "raw",
	qcow: "qcow",
	qcow2: "qcow2",
	vhd: "vpc",
	qed: "qed",
};

type Controller = Pick<GuestConfig, "hdType">;

/** Which emulated controller a disk hangs on; undefined: the guest has it through PV drivers only. */
export function controllerOf(disk: DiskConfig, { hdType }: Controller): "cdrom" | "scsi" | "ahci" | "ide" | undefined {
	if (disk.partition !== 0) return undefined;
	if (disk.cdrom) return disk.index < IDE_DISKS ? "cdrom" : undefined;
	if (disk.path === undefined) return undefined;
	if (disk.bus === "scsi") return disk.index < SCSI_DISKS ? "scsi" : undefined;
	if (hdType === "ahci" && disk.index < AHCI_DISKS) return "ahci";
	return disk.index < IDE_DISKS ? "ide" : undefined;
}

/** The one SCSI controller, when a hard disk hangs on it. */
export function scsiArgs({ disks }: GuestConfig): string[] {
	return disks.some(({ bus, cdrom }) => bus === "scsi" && !cdrom) ? ["-device", "lsi53c895a"] : [];
}

export function ahciArgs({ hdType }: Controller): string[] {
	return hdType === "ahci" ? ["-device", "ahci,id=ahci0"] : [];
}

/** Every emulated disk in the order of the config. @throws InvalidInputError for one that cannot be emulated as asked */
export function disksArgs(config: GuestConfig, place: ArgsPlace): string[] {
	return config.disks.flatMap((disk) => diskArgs(disk, config, place));
}

/** The name under which Linux in the stub shows the disk: xvd and the letter of the disk's index on its own bus. */
export function stubDiskPath({ index }: Pick<DiskConfig, "index">): string {
	return `/dev/xvd${String.fromCharCode("a".charCodeAt(0) + index)}`;
}

/** Whether QEMU gives the guest this disk, beside the PV one. */
export function isEmulated(disk: DiskConfig, config: Pick<GuestConfig, "type" | "hdType">): boolean {
	return config.type === "hvm" && controllerOf(disk, config) !== undefined;
}

/** QEMU's name of a CD drive. */
export const driveId = ({ devnum }: Pick<DiskConfig, "devnum">): string => `ide-${devnum}`;

function diskArgs(disk: DiskConfig, controller: Controller, place: ArgsPlace): string[] {
	const { devnum, index, readOnly, vdev } = disk;
	if (!Number.isSafeInteger(devnum) || !Number.isSafeInteger(index)) throw new TypeError(`Disk ${vdev} has no number`);
	const kind = controllerOf(disk, controller);
	if (kind === undefined || (inStub(place) && index >= STUB_DISKS)) return [];
	const file = `file=${optionValue("disk's path", inStub(place) ? stubDiskPath(disk) : (disk.path ?? ""))}`;
	const format = `format=${inStub(place) ? "host_device" : FORMATS[disk.format]}`;
	if (kind === "cdrom") {
		const id = driveId(disk);
		const medium = disk.path === undefined ? "" : `,${file},${format}`;
		return [
			...["-drive", `if=none,readonly=on,id=${id}${medium}`],
			...["-device", `ide-cd,id=${id},drive=${id},bus=ide.${Math.floor(index / 2)},unit=${index % 2}`],
		];
	}
	if (kind === "scsi") {
		const id = `scsi0-hd${index}`;
		return [
			...["-drive", `${file},id=${id},${format},if=none,readonly=${readOnly ? "on" : "off"},cache=writeback`],
			...["-device", `scsi-hd,drive=${id},scsi-id=${index}`],
		];
	}
	if (readOnly)
		throw new InvalidInputError(
			`A read-only ${kind.toUpperCase()} disk (${vdev}) cannot be emulated`,
			{ remedy: "Use sda to sdp, a CD drive, or access=rw", fields: { vdev } },
			"read-only-disk",
		);
	if (kind === "ahci") {
		const id = `ahcidisk-${index}`;
		return [
			...["-drive", `${file},if=none,id=${id},${format},cache=writeback`],
			...["-device", `ide-hd,bus=ahci0.${index},unit=0,drive=${id}`],
		];
	}
	return ["-drive", `${file},if=ide,index=${index},media=disk,${format},cache=writeback`];
}
