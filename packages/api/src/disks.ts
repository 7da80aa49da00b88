import * as z from "zod";

/** A disk of a running guest, as GET /guests/{ref}/disks tells of it. */
export interface GuestDisk {
	/** "hda", "xvdb" */
	vdev: string;
	/** Number of the virtual device. */
	devid: number;
	/** Absent for an empty CD drive. */
	path?: string;
	format: string;
	readOnly: boolean;
	cdrom: boolean;
	/** The domain that has the disk, and the one that serves it. */
	domid: number;
	backendDomid: number;
	backendPath: string;
	/** State of the frontend (io/xenbus.h). Absent, like the next two, when there is no PV device or it says nothing sensible. */
	state?: number;
	eventChannel?: number;
	ringRef?: number;
}

/** Body of POST /guests/{ref}/disks. */
export interface AttachDiskRequest {
	/** As an entry of `disk = [ … ]`. */
	spec: string;
	/** Absolute; a relative path of the disk starts here. */
	baseDir: string;
}

/** Body of POST /guests/{ref}/disks/{vdev}/medium. */
export interface ChangeMediumRequest {
	/** Absolute; absent: the drive is left empty. */
	path?: string;
}

/** What a change of a disk came to. */
export interface DiskResult {
	disk: GuestDisk;
	/** What did not go smoothly, and what is worth knowing. */
	warnings: string[];
}

const path = z.string().startsWith("/").max(4096);

export const attachDiskRequest: z.ZodType<AttachDiskRequest> = z.object({
	spec: z.string().min(1).max(8192),
	baseDir: path,
});

export const changeMediumRequest: z.ZodType<ChangeMediumRequest> = z.object({ path: path.optional() });

const count = z.number().int().min(0);

export const guestDiskDocument: z.ZodType<GuestDisk> = z.object({
	vdev: z.string(),
	devid: count,
	path: z.string().optional(),
	format: z.string(),
	readOnly: z.boolean(),
	cdrom: z.boolean(),
	domid: count,
	backendDomid: count,
	backendPath: z.string(),
	state: count.optional(),
	eventChannel: count.optional(),
	ringRef: count.optional(),
});
