import type { DomId } from "@bulkhead/base";
import type { DiskConfig, GuestConfig } from "@bulkhead/xlcfg";
import { nicArgs } from "./nic-args.ts";

/** The first console of a stub domain that carries a serial port of its guest: 0 log, 1 save, 2 restore (stubdom.txt). */
export const FIRST_SERIAL_CONSOLE = 3;

const EMULATED_IDE_DISKS = 4;
const EMULATED_AHCI_DISKS = 6;

/** QEMU splits option values at commas; a doubled comma stands for one. */
const quoted = (value: string): string => value.replaceAll(",", ",,");

/**
 * The argument list (without argv[0]) of QEMU in a Linux stub domain for an HVM guest, as libxl's device-model code
 * orders it. Paths are those inside the stub: disks are /dev/xvdX, serial ports /dev/hvcN.
 */
export function stubQemuArgs(config: GuestConfig, guest: DomId): string[] {
	return [
		...["-xen-domid", `${guest}`],
		"-no-shutdown",
		"-nodefaults",
		"-no-user-config",
		...["-name", quoted(config.name)],
		...["-display", "none"],
		...config.serials.flatMap((_, index) => ["-serial", `/dev/hvc${FIRST_SERIAL_CONSOLE + index}`]),
		...(config.nographic ? ["-nographic"] : []),
		...vgaArgs(config),
		...["-boot", `order=${config.boot}`],
		...(config.acpi ? [] : ["-no-acpi"]),
		...(config.vcpus > 1 ? ["-smp", `${config.vcpus},maxcpus=${config.vcpus}`] : []),
		...nicArgs(config.nics, guest),
		...(config.deviceModel?.args ?? []),
		...["-machine", "xenfv,suppress-vmdesc=on"],
		...(config.deviceModel?.argsHvm ?? []),
		...["-m", `${Math.floor((config.memoryKiB - config.videoMemoryKiB) / 1024)}`],
		...(config.hdType === "ahci" ? ["-device", "ahci,id=ahci0"] : []),
		...(config.disks.some((disk) => disk.bus === "scsi" && !disk.cdrom) ? ["-device", "lsi53c895a"] : []),
		...config.disks.flatMap((disk) => diskArgs(disk, config.hdType)),
	];
}

function vgaArgs({ vga, videoMemoryKiB }: GuestConfig): string[] {
	if (vga === "none") return [];
	return ["-device", `${vga === "cirrus" ? "cirrus-vga" : "VGA"},vgamem_mb=${videoMemoryKiB / 1024}`];
}

/** The name under which Linux in the stub shows the disk: xvd and the letter of the disk's index on its own bus. */
export function stubDiskPath(disk: DiskConfig): string {
	return `/dev/xvd${String.fromCharCode("a".charCodeAt(0) + disk.index)}`;
}

/** Whether QEMU gives the guest this disk, beside the PV one. */
export const isEmulated = (disk: DiskConfig, { type, hdType }: Pick<GuestConfig, "type" | "hdType">): boolean =>
	type === "hvm" && diskArgs(disk, hdType).length > 0;

/** QEMU's name of a CD drive. */
export const driveId = ({ devnum }: Pick<DiskConfig, "devnum">): string => `ide-${devnum}`;

function diskArgs(disk: DiskConfig, hdType: GuestConfig["hdType"]): string[] {
	const path = stubDiskPath(disk);
	if (disk.cdrom) {
		const id = driveId(disk);
		const medium = disk.path === undefined ? "" : `,file=${path},format=host_device`;
		const place = `bus=ide.${Math.floor(disk.index / 2)},unit=${disk.index % 2}`;
		return ["-drive", `if=none,readonly=on,id=${id}${medium}`, "-device", `ide-cd,id=${id},drive=${id},${place}`];
	}
	const drive = `file=${path},format=host_device,cache=writeback`;
	if (disk.bus === "scsi") {
		const id = `scsi0-hd${disk.index}`;
		const mode = disk.readOnly ? "on" : "off";
		return [
			"-drive",
			`${drive},id=${id},if=none,readonly=${mode}`,
			"-device",
			`scsi-hd,drive=${id},scsi-id=${disk.index}`,
		];
	}
	if (hdType === "ahci" && disk.index < EMULATED_AHCI_DISKS) {
		const id = `ahcidisk-${disk.index}`;
		return ["-drive", `${drive},if=none,id=${id}`, "-device", `ide-hd,bus=ahci0.${disk.index},unit=0,drive=${id}`];
	}
	if (disk.index < EMULATED_IDE_DISKS) return ["-drive", `${drive},if=ide,index=${disk.index},media=disk`];
	return [];
}
