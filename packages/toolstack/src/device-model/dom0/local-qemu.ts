import { access, chmod, mkdir, rm } from "node:fs/promises";
import {
	awaitProcessEnd,
	DeadlineError,
	DOM0,
	type DomId,
	delay,
	findProcess,
	isRunning,
	type ProcessIdentity,
	stopProcess,
} from "@bulkhead/base";
import type { DeviceModelConfig, DiskConfig, GuestConfig } from "@bulkhead/xlcfg";
import type { ToolstackContext } from "../../context.ts";
import { writeNodes } from "../../domain/node-tree.ts";
import { deviceModelPath, domainPath } from "../../domain/paths.ts";
import { hidden } from "../../domain/permissions.ts";
import { removeIfEmpty } from "../../domain/remove-nodes.ts";
import { DeviceModelError } from "../../errors.ts";
import { domidOf, type LocalQemu, provided } from "../../runtime.ts";
import type { ArgsPlace } from "../args/args-place.ts";
import { pvQemuArgs } from "../pv-qemu-args.ts";
import { screenOf } from "../pv-screen.ts";
import { qemuArgs } from "../qemu-args.ts";
import { readAccounts } from "./accounts.ts";
import { confined } from "./confinement.ts";
import { openLog, tailOfLog } from "./qemu-log.ts";
import { startQemu } from "./qemu-process.ts";
import { chooseQemuUser, type QemuUser } from "./qemu-user.ts";
import { reapUser } from "./reap-user.ts";

/** QEMU's PV console backend keeps no more than this of what nobody reads (XSA-180; libxl sets the same). */
const CONSOLE_LIMIT = "1048576";
const STOP = { title: "QEMU", graceMs: 10_000, killMs: 10_000 } as const;

const POLL_MS = 50;

type Context = Pick<ToolstackContext, "config" | "runtime" | "xenstore" | "places" | "openDisks" | "saveRuntime">;

/** The unix socket of a guest's QEMU in domain 0. */
export const qmpSocketOf = (folder: string): string => `${folder}/qmp`;

/** Where libxenstat looks for a domain's QEMU (xenstat_qmp.c). */
const statisticsSocketOf = ({ places }: Pick<Context, "places">, guest: DomId): string =>
	`${places.xenRunFolder}/qmp-libxenstat-${guest}`;

const chrootOf = ({ places }: Pick<Context, "places">): string => `${places.qemuFolder}/root`;

/** Whether it may do nothing but what its guest could: the owner of an HVM guest chooses that. */
const isRestricted = ({ config }: Pick<Context, "config">): boolean => config.deviceModel?.restrict === true;

/** Whether it has a user and a file system of its own. One for a PV screen has no other use for either. */
const isConfined = (context: Pick<Context, "config">): boolean =>
	context.config.type !== "hvm" || isRestricted(context);

/** As whom a guest's QEMU is to run. */
export const qemuUserRequest = (config: GuestConfig): Pick<DeviceModelConfig, "user" | "restrict"> => ({
	user: config.deviceModel?.user,
	restrict: isConfined({ config }),
});

function placeOf(context: Context, guest: DomId, user: QemuUser | undefined): ArgsPlace {
	return {
		kind: "dom0",
		guest,
		qmpSocket: qmpSocketOf(context.places.qemuFolder),
		statisticsSocket: statisticsSocketOf(context, guest),
		...(user && { user: user.runAs }),
		...(isConfined(context) && { chroot: chrootOf(context) }),
		restricted: isRestricted(context),
	};
}

/** What hvmloader and QEMU read before they start (libxl__spawn_local_dm). */
export async function announceLocalQemu({ config, runtime, xenstore }: Context): Promise<void> {
	const guest = domidOf(runtime, "guest");
	await xenstore.transaction((tx) =>
		Promise.all([
			...(config.type === "hvm"
				? [
						tx.write(`${domainPath(guest)}/hvmloader/bios`, config.bios),
						tx.write(`${domainPath(guest)}/hvmloader/allow-memory-relocate`, "0"),
					]
				: []),
			writeNodes(tx, deviceModelPath(DOM0, guest), { permissions: hidden }),
		]),
	);
}

/** Starts it and writes it down. @throws DeviceModelError */
export async function startLocalQemu(context: Context, binary: string): Promise<void> {
	const { config, runtime, xenstore, places, saveRuntime } = context;
	const guest = domidOf(runtime, "guest");
	const user = await chooseUser(context, guest);
	await makeFolder(places.qemuFolder);
	await mkdir(places.xenRunFolder, { recursive: true, mode: 0o755 });
	const place = placeOf(context, guest, user);
	const args = config.type === "hvm" ? qemuArgs(withServedDisks(context), place) : pvQemuArgs(config, place);
	const command = { binary, args };
	if (isConfined(context)) await mkdir(chrootOf(context), { mode: 0 });
	const log = await openLog(places.qemuLog);
	try {
		const process = await startQemu({
			...(isConfined(context) ? confined(command) : command),
			env: environment(config, guest),
			logFd: log.fd,
		});
		runtime.qemu = { ...runtime.qemu, ...process };
	} finally {
		await log.close();
	}
	await saveRuntime();
	await xenstore.write(`${domainPath(guest)}/image/device-model-pid`, provided(runtime.qemu.pid, "QEMU's pid"));
}

/** Written down before anything can run as that user. */
async function chooseUser(context: Context, guest: DomId): Promise<QemuUser | undefined> {
	const { config, runtime, xenstore, saveRuntime } = context;
	const user = chooseQemuUser(qemuUserRequest(config), guest, await readAccounts());
	if (!user?.isGuestsOwn) return user;
	// What an earlier domain with this number has left under this uid must not meet this one.
	await reapUser(user.uid, STOP.killMs);
	runtime.qemu = { ownUid: user.uid };
	await saveRuntime();
	await xenstore.write(`${domainPath(guest)}/image/device-model-kill-uid`, user.uid);
	return user;
}

const withServedDisks = (context: Context): GuestConfig => ({
	...context.config,
	disks: context.config.disks.map((disk) => servedDisk(context, disk)),
});

/**
 * An image that is not raw has one server, and a restricted QEMU may not write long files: QEMU gets the block device
 * that the guest's PV driver has.
 */
function servedDisk(context: Context, disk: DiskConfig): DiskConfig {
	if (disk.path === undefined || (disk.format === "raw" && !isRestricted(context))) return disk;
	const { devicePath } = provided(context.openDisks.get(disk.vdev), `open disk ${disk.vdev}`);
	return { ...disk, format: "raw", path: devicePath };
}

function environment(config: GuestConfig, guest: DomId): Record<string, string> {
	const { sdl } = screenOf(config);
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
 * Waits until QEMU runs, which it says by its state node; a restricted one until its QMP socket is there. Fails at once
 * when it ends first.
 * @throws DeviceModelError with the end of its log; DeadlineError; CancelledError
 */
export async function awaitLocalQemu(
	context: Context,
	{ timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<void> {
	const { runtime, xenstore, places } = context;
	const process = identityOf(runtime.qemu);
	const settled = new AbortController();
	const either = AbortSignal.any([signal, settled.signal]);
	const path = `${deviceModelPath(DOM0, domidOf(runtime, "guest"))}/state`;
	const running = isRestricted(context)
		? awaitFile(qmpSocketOf(places.qemuFolder), timeoutMs, either)
		: xenstore.waitFor(path, (state) => state === "running", { timeoutMs, signal: either, what: "QEMU" });
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

/** Another user's process makes it: there is nothing but looking. @throws DeadlineError, CancelledError */
async function awaitFile(path: string, timeoutMs: number, signal: AbortSignal): Promise<void> {
	const limit = performance.now() + timeoutMs;
	while (
		!(await access(path).then(
			() => true,
			() => false,
		))
	) {
		if (performance.now() > limit) throw new DeadlineError(`Waited ${timeoutMs} ms in vain for QEMU`);
		await delay(POLL_MS, signal);
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
	if (runtime.qemu?.ownUid !== undefined) await reapUser(runtime.qemu.ownUid, STOP.killMs);
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
