import { DeadlineError, delay, ProtocolError, printable, type Uuid } from "@bulkhead/base";
import { executeTyped, type FdsetInfo } from "@bulkhead/qmp/commands";
import type { DiskConfig } from "@bulkhead/xlcfg";
import type { RingServices } from "../context.ts";
import { DeviceError } from "../errors.ts";
import { driveId } from "./qemu-args.ts";

/** libxl's LIBXL_QMP_CMD_TIMEOUT. */
const COMMAND_MS = 10_000;
const POLL_MS = 200;
const MOST_ENTRIES = 256;

/** A CD drive of the guest's QEMU, and the only ways to change what is in it. What QEMU answers is checked for its form. */
export interface Drive {
	rings: Pick<RingServices, "executeQmp">;
	guest: Uuid;
	disk: Pick<DiskConfig, "devnum">;
}

type Query = Parameters<typeof executeTyped>[0];

const qmpOf = ({ rings, guest }: Drive): Query => ({
	execute: (command, args, options) => rings.executeQmp(guest, command, args, options?.timeoutMs ?? COMMAND_MS),
});

/** What the stub domain's init calls the descriptor of a medium (libxl_disk.c of Xen 4.20). */
const isOf = ({ devnum }: Drive["disk"], { fds }: FdsetInfo): boolean =>
	fds.some(({ opaque }) => opaque === `stub-devid:${devnum}`);

/**
 * Takes the medium out, against the guest's lock if need be. An empty drive is fine. A QEMU that is stopped is left alone:
 * it would not close what is removed from a descriptor set (monitor/fds.c: monitor_fdset_cleanup).
 * @throws DeviceError, QmpError, QmpConnectionError, DeadlineError, ProtocolError
 */
export async function ejectMedium(drive: Drive): Promise<void> {
	const { running, status } = await executeTyped(qmpOf(drive), "query-status");
	if (!running)
		throw new DeviceError(`The guest's QEMU does not run (${printable(status, 32)}): its drives cannot be changed`, {
			remedy: "Let it run again: bulkhead qmp GUEST cont",
		});
	await executeTyped(qmpOf(drive), "eject", { id: driveId(drive.disk), force: true });
}

/** What QEMU numbers and what its openers write beside a descriptor is small. */
async function queryFdsets(drive: Drive): Promise<FdsetInfo[]> {
	const sets = await executeTyped(qmpOf(drive), "query-fdsets");
	if (sets.length > MOST_ENTRIES || !sets.every(isCredible))
		throw new ProtocolError("QEMU's answer to query-fdsets cannot be");
	return sets;
}

function isCredible({ "fdset-id": id, fds }: FdsetInfo): boolean {
	return (
		id >= 0 && id <= 0x7fff_ffff && fds.length <= MOST_ENTRIES && fds.every(({ opaque = "" }) => opaque.length <= 1024)
	);
}

/** Makes QEMU let go of a medium that came by descriptor: an old one would be taken for the next. */
export async function dropMedium(drive: Drive): Promise<void> {
	const sets = await queryFdsets(drive);
	const own = sets.filter((set) => isOf(drive.disk, set));
	for (const set of own) await executeTyped(qmpOf(drive), "remove-fd", { "fdset-id": set["fdset-id"] });
	if (own.length === 0) return;
	const left = await queryFdsets(drive);
	if (left.some((set) => isOf(drive.disk, set)))
		throw new DeviceError("QEMU did not let the old medium go", {
			remedy: "See whether the guest's QEMU is stopped: bulkhead qmp GUEST query-status",
		});
}

/**
 * Waits until the stub domain's init has given QEMU the descriptor of a new medium. QEMU has no event for it.
 * @throws DeadlineError when it does not
 */
export async function awaitMedium(drive: Drive, deadline: number, signal?: AbortSignal): Promise<number> {
	for (;;) {
		const sets = await queryFdsets(drive);
		const found = sets.find((set) => isOf(drive.disk, set));
		if (found) return found["fdset-id"];
		if (performance.now() > deadline)
			throw new DeadlineError("The stub domain did not hand the new medium to QEMU", {
				remedy: "Read the stub domain's log: `bulkhead console -t stub --from tail GUEST`",
			});
		await delay(POLL_MS, signal);
	}
}

/** Puts the descriptor's medium into the drive and closes its tray: the guest is told of a change. */
export async function insertMedium(drive: Drive, fdset: number): Promise<void> {
	await executeTyped(qmpOf(drive), "blockdev-change-medium", {
		id: driveId(drive.disk),
		filename: `/dev/fdset/${fdset}`,
		format: "host_device",
		"read-only-mode": "read-only",
	});
}
