import { CancelledError } from "@bulkhead/base";
import type { DiskConfig } from "@bulkhead/xlcfg";
import { checkDisk } from "../check-disk.ts";
import type { ToolstackContext } from "../context.ts";
import { awaitMedium, type Drive, dropMedium, ejectMedium, insertMedium } from "../device-model/drive-medium.ts";
import { closeDisk, type HeldDisk, holdDisk, letGo } from "../devices/open-disk.ts";
import { vbdDevice } from "../devices/vbd.ts";
import { XENBUS_STATE } from "../devices/xenbus.ts";
import { xenbusPaths } from "../devices/xenbus-device.ts";
import { DeviceError, DeviceRefusedError } from "../errors.ts";
import { domidOf } from "../runtime.ts";
import { addPvDisk, removePvDisk } from "./pv-disk.ts";

/** libxl's LIBXL_HOTPLUG_TIMEOUT. */
const CHANGE_MS = 40_000;
/** How long a frontend may take to give the old medium up: two of them, and the way back, fit into the whole. */
const CLOSE_MS = 5_000;

export interface MediumChange {
	/** The drive, with what is in it now. */
	disk: DiskConfig;
	/** Path of the new medium; undefined: the drive is left empty. */
	path: string | undefined;
	/** Writes down what is in the drive: called each time that changes, so that no record ever lies. */
	onDisk: (disk: DiskConfig) => Promise<void>;
	/** For the stub domain to hand the new medium to QEMU. Default 40 s, libxl's for the whole. */
	timeoutMs?: number;
	signal?: AbortSignal;
}

/** @throws DeviceRefusedError */
export function checkDrive(disk: DiskConfig): void {
	if (disk.cdrom) return;
	throw new DeviceRefusedError("device-refused", `Disk ${disk.vdev} is no CD drive`, {
		remedy: "Only the medium of a CD drive can be changed; see `bulkhead block-list`",
		fields: { vdev: disk.vdev },
	});
}

/**
 * Changes the medium of a CD drive while the guest runs: QEMU gives the old one up, the stub domain's PV disk and the
 * guest's own are taken away, new ones come, the stub's init hands the new disk to QEMU, which puts it into the drive.
 * When the new medium cannot be put in, the old one comes back; when that fails too, the drive is left empty.
 * Answers what did not go smoothly. @throws FileUnusableError, DeviceError, what QMP throws
 */
export async function changeMedium(context: ToolstackContext, change: MediumChange): Promise<string[]> {
	const { disk, path, onDisk } = change;
	const empty: DiskConfig = { ...disk, path: undefined };
	const wanted: DiskConfig = { ...disk, path };
	await checkDisk(wanted, { ...context, scriptDirectory: "" });
	const { complaints, failure } = await takeOut(context, disk);
	await onDisk(empty);
	if (failure !== undefined) throw leftEmpty(disk, "QEMU did not let the old medium go", failure);
	if (path === undefined) return complaints;
	try {
		await putIn(context, wanted, change);
		await onDisk(wanted);
		return complaints;
	} catch (cause) {
		if (disk.path === undefined) throw cause;
		// The user may have cancelled the change: the way back is not part of what is cancelled.
		const back = await putIn(context, disk, { timeoutMs: change.timeoutMs }).then(
			() => true,
			() => false,
		);
		if (!back) throw leftEmpty(disk, "Neither the new nor the old medium could be put in", cause);
		await onDisk(disk);
		throw cause;
	}
}

const driveOf = ({ rings, config }: ToolstackContext, disk: DiskConfig): Drive => ({ rings, guest: config.uuid, disk });

function leftEmpty({ vdev }: DiskConfig, why: string, cause: unknown): DeviceError {
	return new DeviceError(`${why}: drive ${vdev} is empty now`, {
		cause,
		remedy: "Read the stub domain's log, then try `bulkhead cd-insert` again",
		fields: { vdev },
	});
}

interface TakenOut {
	complaints: string[];
	/** Why QEMU may still hold the old medium. */
	failure?: unknown;
}

/** When this throws, nothing has changed. */
async function takeOut(context: ToolstackContext, disk: DiskConfig): Promise<TakenOut> {
	const hasStub = context.runtime.stub !== undefined;
	const drive = driveOf(context, disk);
	if (hasStub) await ejectMedium(drive);
	const failure: unknown = hasStub ? await dropMedium(drive).catch((error: unknown) => error) : undefined;
	const mode = (await isInUse(context, disk)) ? "auto" : "force";
	const removals = await Promise.all([
		...(hasStub ? [removePvDisk(context, "stub", disk, { mode: "auto", closeTimeoutMs: CLOSE_MS })] : []),
		removePvDisk(context, "guest", disk, { mode, closeTimeoutMs: CLOSE_MS }),
	]);
	await closeDisk(context, disk);
	return { complaints: removals.flatMap((removal) => removal.complaints), failure };
}

/**
 * Linux in an HVM guest makes no PV disk of a CD: its frontend stays where the toolstack has left it, and there is
 * nobody to ask. What the guest writes here decides only about its own comfort.
 */
async function isInUse({ xenstore, runtime }: ToolstackContext, disk: DiskConfig): Promise<boolean> {
	const { frontend } = xenbusPaths(vbdDevice(domidOf(runtime, "guest"), disk));
	const state = await xenstore.find(`${frontend}/state`);
	return [XENBUS_STATE.initialised, XENBUS_STATE.connected].some((each) => state === `${each}`);
}

type Patience = Pick<MediumChange, "timeoutMs" | "signal">;

async function putIn(
	context: ToolstackContext,
	disk: DiskConfig,
	{ timeoutMs = CHANGE_MS, signal }: Patience,
): Promise<void> {
	const deadline = performance.now() + timeoutMs;
	const held = await holdDisk(context, disk);
	try {
		if (context.runtime.stub !== undefined) await putIntoDrive(context, held, deadline, signal);
		await addPvDisk(context, "guest", held, signal);
	} catch (error) {
		await takeOut(context, disk).catch(() => {});
		await letGo(context, held);
		throw error;
	}
	context.openDisks.set(disk.vdev, held);
}

async function putIntoDrive(
	context: ToolstackContext,
	held: HeldDisk,
	deadline: number,
	signal: AbortSignal | undefined,
): Promise<void> {
	const drive = driveOf(context, held.disk);
	await addPvDisk(context, "stub", held, signal);
	const fdset = await awaitMedium(drive, deadline, signal);
	if (signal?.aborted) throw new CancelledError("Stopped before the medium was put in", { cause: signal.reason });
	await insertMedium(drive, fdset);
}
