import { chmod, mkdir, rm } from "node:fs/promises";
import {
	awaitProcessEnd,
	DOM0,
	type DomId,
	findProcess,
	isRunning,
	type ProcessIdentity,
	stopProcess,
} from "@bulkhead/base";
import type { DiskConfig, GuestConfig } from "@bulkhead/xlcfg";
import type { ToolstackContext } from "../../context.ts";
import { writeNodes } from "../../domain/node-tree.ts";
import { deviceModelPath, domainPath } from "../../domain/paths.ts";
import { hidden } from "../../domain/permissions.ts";
import { removeIfEmpty } from "../../domain/remove-nodes.ts";
import { DeviceModelError } from "../../errors.ts";
import { domidOf, type LocalQemu, provided } from "../../runtime.ts";
import type { ArgsPlace } from "../args/args-place.ts";
import { qemuArgs } from "../qemu-args.ts";
import { openLog, tailOfLog } from "./qemu-log.ts";
import { startQemu } from "./qemu-process.ts";

/** QEMU's PV console backend keeps no more than this of what nobody reads (XSA-180; libxl sets the same). */
const CONSOLE_LIMIT = "1048576";
const STOP = { title: "QEMU", graceMs: 10_000, killMs: 10_000 } as const;

type Context = Pick<ToolstackContext, "config" | "openDisks" | "runtime" | "xenstore" | "places" | "saveRuntime">;

/** The unix socket of a guest's QEMU in domain 0. */
export const qmpSocketOf = (folder: string): string => `${folder}/qmp`;

/** Where libxenstat looks for a domain's QEMU (xenstat_qmp.c). */
const statisticsSocketOf = ({ places }: Pick<Context, "places">, guest: DomId): string =>
	`${places.xenRunFolder}/qmp-libxenstat-${guest}`;

function placeOf(context: Pick<Context, "places">, guest: DomId): ArgsPlace {
	const qmpSocket = qmpSocketOf(context.places.qemuFolder);
	return { kind: "dom0", guest, qmpSocket, statisticsSocket: statisticsSocketOf(context, guest) };
}

/** What hvmloader and QEMU read before they start (libxl__spawn_local_dm). */
export async function announceLocalQemu({ config, runtime, xenstore }: Context): Promise<void> {
	const guest = domidOf(runtime, "guest");
	await xenstore.transaction((tx) =>
		Promise.all([
			tx.write(`${domainPath(guest)}/hvmloader/bios`, config.bios),
			tx.write(`${domainPath(guest)}/hvmloader/allow-memory-relocate`, "0"),
			writeNodes(tx, deviceModelPath(DOM0, guest), { permissions: hidden }),
		]),
	);
}

/** Starts it and writes it down. @throws DeviceModelError */
export async function startLocalQemu(context: Context, binary: string): Promise<void> {
	const { config, runtime, xenstore, places, saveRuntime } = context;
	const guest = domidOf(runtime, "guest");
	await makeFolder(places.qemuFolder);
	await mkdir(places.xenRunFolder, { recursive: true, mode: 0o755 });
	const log = await openLog(places.qemuLog);
	try {
		const process = await startQemu({
			binary,
			args: qemuArgs(
				{ ...config, disks: config.disks.map((disk) => servedDisk(context, disk)) },
				placeOf(context, guest),
			),
			env: environment(config, guest),
			logFd: log.fd,
		});
		runtime.qemu = process;
	} finally {
		await log.close();
	}
	await saveRuntime();
	await xenstore.write(`${domainPath(guest)}/image/device-model-pid`, provided(runtime.qemu.pid, "QEMU's pid"));
}

/** An image that is not raw has one server: QEMU gets its block device, as the guest's PV driver does. */
function servedDisk({ openDisks }: Context, disk: DiskConfig): DiskConfig {
	if (disk.format === "raw" || disk.path === undefined) return disk;
	return { ...disk, format: "raw", path: provided(openDisks.get(disk.vdev), `open disk ${disk.vdev}`).devicePath };
}

function environment({ sdl }: GuestConfig, guest: DomId): Record<string, string> {
	return {
		PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
		XEN_DOMAIN_ID: `${guest}`,
		XEN_QEMU_CONSOLE_LIMIT: CONSOLE_LIMIT,
		...(sdl?.display === undefined ? {} : { DISPLAY: sdl.display }),
		...(sdl?.xauthority === undefined ? {} : { XAUTHORITY: sdl.xauthority }),
	};
}

/** Root's; others may pass through, as the relay must, and see nothing. */
async function makeFolder(folder: string): Promise<void> {
	await rm(folder, { recursive: true, force: true });
	await mkdir(folder, { recursive: true, mode: 0o711 });
	await chmod(folder, 0o711);
}

/**
 * Waits until QEMU runs, which it says by its state node. Fails at once when it ends first.
 * @throws DeviceModelError with the end of its log; DeadlineError; CancelledError
 */
export async function awaitLocalQemu(
	{ runtime, xenstore, places }: Context,
	{ timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<void> {
	const process = identityOf(runtime.qemu);
	const settled = new AbortController();
	const either = AbortSignal.any([signal, settled.signal]);
	const path = `${deviceModelPath(DOM0, domidOf(runtime, "guest"))}/state`;
	const running = xenstore.waitFor(path, (state) => state === "running", { timeoutMs, signal: either, what: "QEMU" });
	const ended = awaitProcessEnd(provided(process, "QEMU"), either).then(() => "ended");
	running.catch(() => {});
	ended.catch(() => {});
	try {
		if ((await Promise.race([running, ended])) === "ended")
			throw new DeviceModelError("QEMU ended before it ran", {
				remedy: "Read its log (fields.log) and check what the guest's config asks of it",
				fields: { log: await tailOfLog(places.qemuLog), logFile: places.qemuLog },
			});
	} finally {
		settled.abort();
	}
}

/** Resolves, with a sentence for people, when QEMU is no more. @throws CancelledError */
export async function awaitLocalQemuEnd(qemu: LocalQemu, logFile: string, signal: AbortSignal): Promise<string> {
	const process = identityOf(qemu);
	if (process) await awaitProcessEnd(process, signal);
	const last = (await tailOfLog(logFile)).at(-1);
	return `QEMU ended${last === undefined ? "" : `: ${last}`}`;
}

/** Ends it and removes its traces. Safe to repeat; one that was started and not written down is found by its socket. */
export async function removeLocalQemu(context: Context): Promise<void> {
	const { runtime, xenstore, places } = context;
	const socket = qmpSocketOf(places.qemuFolder);
	const process =
		identityOf(runtime.qemu) ??
		(await findProcess(`socket,id=libxl-cmd,path=${socket.replaceAll(",", ",,")},server=on,wait=off`));
	if (process && (await isRunning(process))) await stopProcess(process, STOP);
	await rm(places.qemuFolder, { recursive: true, force: true });
	const { domid } = runtime.guest;
	if (domid === undefined) return;
	await rm(statisticsSocketOf(context, domid), { force: true });
	await xenstore.transaction(async (tx) => {
		await tx.remove(deviceModelPath(DOM0, domid));
		await removeIfEmpty(tx, "/local/domain/0/device-model");
	});
}

function identityOf({ pid, startTime }: LocalQemu = {}): ProcessIdentity | undefined {
	return pid === undefined || startTime === undefined ? undefined : { pid, startTime };
}
