import type { AttachDiskRequest, DiskResult, GuestDisk } from "@bulkhead/api";
import {
	attachDisk,
	changeMedium,
	checkAttach,
	checkDetach,
	checkDrive,
	checkSupported,
	type DiskState,
	detachDisk,
	findDisk,
	listDisks,
} from "@bulkhead/toolstack";
import { checkDiskFits, type DiskConfig, readDisk } from "@bulkhead/xlcfg";
import type { Services } from "../services.ts";
import type { Guest } from "./guest.ts";
import { requireDomid, requireRunning } from "./power.ts";

/** The guest's disks as they are now. */
export async function describeDisks(guest: Guest, { xenstore }: Services): Promise<GuestDisk[]> {
	const domid = requireDomid(guest);
	const states = await listDisks(xenstore, domid, guest.record.config.disks);
	return states.map((state) => describe(state, domid));
}

/** Gives a running guest a disk, which it keeps from then on. */
export function attachDiskTo(
	guest: Guest,
	services: Services,
	{ spec, baseDir }: AttachDiskRequest,
): Promise<DiskResult> {
	return guest.operations.run(async () => {
		requireRunning(guest);
		const { config, runtime } = guest.record;
		const disk = readDisk(spec, baseDir);
		checkSupported({ ...config, disks: [disk] });
		const place = config.deviceModel?.place;
		const warnings = [checkAttach(disk, config), checkDiskFits(disk, config.disks, { ...config, place })].filter(
			(each) => each !== undefined,
		);
		await attachDisk(guest.context(services), disk, services.installed.network);
		runtime.attachedDisks = [...(runtime.attachedDisks ?? []), disk.vdev];
		await setDisks(guest, services, [...config.disks, disk]);
		tell(guest, services, disk, "attached");
		return resultOf(guest, services, disk, warnings);
	});
}

/** Takes a disk from a running guest for good. */
export function detachDiskFrom(
	guest: Guest,
	services: Services,
	reference: string,
	{ force }: { force: boolean },
): Promise<DiskResult> {
	return guest.operations.run(async () => {
		requireRunning(guest);
		const { config, runtime } = guest.record;
		const disk = findDisk(config.disks, reference);
		const context = guest.context(services);
		checkDetach(disk, context);
		const last = await resultOf(guest, services, disk, []);
		const { complaints } = await detachDisk(context, disk, { force });
		runtime.attachedDisks = runtime.attachedDisks?.filter((vdev) => vdev !== disk.vdev);
		const others = config.disks.filter(({ vdev }) => vdev !== disk.vdev);
		await setDisks(guest, services, others);
		tell(guest, services, disk, "detached");
		return { ...last, warnings: complaints };
	});
}

/** Changes what is in a CD drive; without a path it is left empty. */
export function changeMediumOf(
	guest: Guest,
	services: Services,
	reference: string,
	path: string | undefined,
): Promise<DiskResult> {
	return guest.operations.run(async () => {
		requireRunning(guest);
		const disk = findDisk(guest.record.config.disks, reference);
		checkDrive(disk);
		const onDisk = async (changed: DiskConfig): Promise<void> => {
			const { disks } = guest.record.config;
			await setDisks(
				guest,
				services,
				disks.map((each) => (each.vdev === disk.vdev ? changed : each)),
			);
			tell(guest, services, changed, changed.path === undefined ? "ejected" : "inserted");
		};
		const warnings = await changeMedium(guest.context(services), { disk, path, onDisk });
		return resultOf(guest, services, findDisk(guest.record.config.disks, disk.vdev), warnings);
	});
}

/** On the disk before anybody is told: the next daemon, and the next start of the guest, know it. */
async function setDisks({ record }: Guest, { store }: Services, disks: DiskConfig[]): Promise<void> {
	record.config = { ...record.config, disks };
	await store.save(record);
}

function tell(guest: Guest, { events }: Services, { vdev, path }: DiskConfig, state: string): void {
	events.emit("disk-state", { guest: guest.identity, vdev, path, state });
}

async function resultOf(
	guest: Guest,
	{ xenstore }: Services,
	disk: DiskConfig,
	warnings: string[],
): Promise<DiskResult> {
	const domid = requireDomid(guest);
	const [state] = await listDisks(xenstore, domid, [disk]);
	if (!state) throw new TypeError("A list of one disk is empty");
	return { disk: describe(state, domid), warnings };
}

function describe({ disk, ...connection }: DiskState, domid: number): GuestDisk {
	const { vdev, devnum, path, format, readOnly, cdrom } = disk;
	return { vdev, devid: devnum, path, format, readOnly, cdrom, domid, ...connection };
}
