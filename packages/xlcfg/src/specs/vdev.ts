import { InvalidInputError, printable } from "@bulkhead/base";
import type { DiskBus } from "../guest-config.ts";

export interface Vdev {
	bus: DiskBus;
	/** Which disk on the bus, from 0. */
	index: number;
	/** 0 for the whole disk. */
	partition: number;
	/** Number of the virtual device, as in xenstore. */
	devnum: number;
}

const LETTERS = /^(hd|sd|xvd)([a-z]{1,5})(0|[1-9][0-9]{0,3})?$/;
const NUMBERED = /^d(0|[1-9][0-9]{0,6})(?:p(0|[1-9][0-9]{0,3}))?$/;

/** Limits and block majors of stub-domain.md §10 (libxl: libxl__device_disk_dev_number). */
const BUSES: Readonly<Record<DiskBus, { disks: number; partitions: number }>> = {
	ide: { disks: 4, partitions: 63 },
	scsi: { disks: 16, partitions: 15 },
	xen: { disks: 1 << 20, partitions: 255 },
};
const PREFIXES: Readonly<Record<string, DiskBus>> = { hd: "ide", sd: "scsi", xvd: "xen" };

/**
 * Reads the name of a virtual block device: hda … hdd, sda … sdp, xvda …, d0 …, each with an optional partition; or its
 * number, 51712.
 * @throws InvalidInputError
 */
export function parseVdev(name: string): Vdev {
	const numeric = /^(?:0x[0-9a-f]{1,8}|[1-9][0-9]{0,9})$/.test(name) ? vdevOfNumber(Number(name)) : undefined;
	if (numeric) return numeric;
	const letters = LETTERS.exec(name);
	const numbered = letters ? null : NUMBERED.exec(name);
	if (!letters && !numbered)
		throw new InvalidInputError(`${quoted(name)} is not the name of a virtual disk`, {
			remedy: "Use hda to hdd, sda to sdp, or xvda and so on",
		});
	const bus = PREFIXES[letters?.[1] ?? ""] ?? "xen";
	const index = letters ? letterIndex(letters[2] ?? "") : Number(numbered?.[1]);
	const partition = Number((letters ? letters[3] : numbered?.[2]) ?? 0);
	const { disks, partitions } = BUSES[bus];
	if (index >= disks)
		throw new InvalidInputError(`Virtual disk ${quoted(name)} lies beyond the ${disks} disks of its bus`, {
			remedy: bus === "xen" ? undefined : "Use xvda and so on for more disks",
		});
	if (partition > partitions)
		throw new InvalidInputError(`Virtual disk ${quoted(name)} names a partition above ${partitions}`);
	return { bus, index, partition, devnum: devnum(bus, index, partition) };
}

/** a → 0, z → 25, aa → 26. */
function letterIndex(letters: string): number {
	let index = 0;
	for (const letter of letters) index = index * 26 + letter.charCodeAt(0) - 96;
	return index - 1;
}

function devnum(bus: DiskBus, index: number, partition: number): number {
	if (bus === "ide") return ((index < 2 ? 3 : 22) << 8) | ((index & 1) << 6) | partition;
	if (bus === "scsi") return (8 << 8) | (index << 4) | partition;
	if (index <= 15 && partition <= 15) return (202 << 8) | (index << 4) | partition;
	return (1 << 28) | (index << 8) | partition;
}

/** The device that a number stands for, if it is one that a name stands for too. */
function vdevOfNumber(number: number): Vdev | undefined {
	const minor = number & 0xff;
	const candidates: Omit<Vdev, "devnum">[] = [
		{ bus: "ide", index: (number >> 8 === 22 ? 2 : 0) + (minor >> 6), partition: minor & 63 },
		{ bus: "scsi", index: minor >> 4, partition: minor & 15 },
		{ bus: "xen", index: minor >> 4, partition: minor & 15 },
		{ bus: "xen", index: (number >>> 8) & 0xfffff, partition: minor },
	];
	return candidates
		.map((place) => ({ ...place, devnum: devnum(place.bus, place.index, place.partition) }))
		.find((vdev) => vdev.devnum === number);
}

const quoted = (name: string): string => `"${printable(name, 32)}"`;
