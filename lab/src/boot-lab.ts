import { mkdir, rm } from "node:fs/promises";
import { InvalidInputError } from "@bulkhead/base";
import { ContentCache, DebianPackages, machineRelease, writeCpioArchive } from "@bulkhead/image";
import { placeBootFiles, unpackBootFiles } from "./boot-files.ts";
import { buildDom0Base } from "./dom0-base.ts";
import { Dom0Connection } from "./dom0-connection.ts";
import { openEmulator } from "./emulator.ts";
import { fetchHostPackages } from "./host-packages.ts";
import { createLabKeys } from "./lab-keys.ts";
import type { LabPaths } from "./lab-paths.ts";
import { type LabState, writeLabState, XENSTOREDS, type XenstoredName } from "./lab-state.ts";
import { awaitReady, findFreePort, killMachine, startMachine } from "./machine.ts";
import { machineArgs } from "./machine-args.ts";
import { digestEntries, projectEntries } from "./project-overlay.ts";

export interface LabUpOptions {
	/** Debian release of the host; the environment's BULKHEAD_LAB_RELEASE or the machine's own unless told. */
	release?: string;
	/** Which of Xen's two is the host's; the environment's BULKHEAD_LAB_XENSTORED or `xenstored` (in C) unless told. */
	xenstored?: XenstoredName;
	/** Milliseconds for the boot itself, from QEMU's start until ssh answers. */
	bootTimeoutMs?: number;
	memoryMiB?: number;
	dom0MemoryMiB?: number;
	cpus?: number;
	signal?: AbortSignal;
	/** Called for a part of the project that does not build: dom0 goes without it. Unless given, `up` fails. */
	onBroken?: (part: string, error: unknown) => void;
	/** Is told of everything that takes time, one line each. */
	onProgress?: (line: string) => void;
}

const BOOT_TIMEOUT_MS = 180_000;

/** The release a lab boots when nobody says. */
export async function defaultRelease(env: NodeJS.ProcessEnv = process.env): Promise<string> {
	return env.BULKHEAD_LAB_RELEASE || (await machineRelease());
}

/** @throws InvalidInputError for another name */
export function defaultXenstored(env: NodeJS.ProcessEnv = process.env): XenstoredName {
	const name = env.BULKHEAD_LAB_XENSTORED || "xenstored";
	const found = XENSTOREDS.find((each) => each === name);
	if (found) return found;
	throw new InvalidInputError("BULKHEAD_LAB_XENSTORED is xenstored or oxenstored");
}

/** Builds what is missing, boots the machine and waits until dom0 takes commands. The caller holds the control lock. */
export async function bootLab(paths: LabPaths, options: LabUpOptions): Promise<LabState> {
	const onProgress = options.onProgress ?? (() => {});
	const release = options.release ?? (await defaultRelease());
	const xenstored = options.xenstored ?? defaultXenstored();
	const cache = new ContentCache();
	await mkdir(paths.dir, { recursive: true, mode: 0o700 });
	const own = await DebianPackages.open({ release: await machineRelease(), cache, onProgress });
	const emulator = await openEmulator(own);
	const debian = release === own.release ? own : await DebianPackages.open({ release, cache, onProgress });
	const packages = await fetchHostPackages(debian);
	const bootFiles = await unpackBootFiles(cache, packages);
	const base = await buildDom0Base(cache, packages, process.execPath, onProgress);
	const { onBroken, signal } = options;
	const project = await projectEntries({ release, sysroot: packages.sysroot, onProgress, onBroken, signal });
	const installed = await digestEntries(project);
	await writeCpioArchive([...project, ...(await createLabKeys(paths))], paths.overlay);
	await placeBootFiles(paths, bootFiles, base, paths.overlay);
	options.signal?.throwIfAborted();

	const sshPort = await findFreePort();
	onProgress(`starting Xen ${packages.xenVersion} under QEMU ${emulator.version} (${emulator.accel})`);
	const started = Date.now();
	const args = machineArgs(
		{
			accel: emulator.accel,
			sshPort,
			memoryMiB: options.memoryMiB ?? 6656,
			dom0MemoryMiB: options.dom0MemoryMiB ?? 3072,
			cpus: options.cpus ?? 2,
			xenstored,
		},
		paths,
	);
	const machine = await startMachine(emulator, args, paths);
	try {
		const state: LabState = {
			machine,
			sshPort,
			ready: false,
			startedAt: new Date(started).toISOString(),
			description: {
				release,
				xen: packages.xenVersion,
				xenstored,
				kernel: packages.kernelRelease,
				qemu: packages.qemuVersion,
				emulator: emulator.version,
				node: process.version,
				accel: emulator.accel,
			},
			installed,
		};
		await writeLabState(paths, state);
		const timeoutMs = options.bootTimeoutMs ?? BOOT_TIMEOUT_MS;
		await awaitReady(machine, paths, { timeoutMs, signal: options.signal, onProgress });
		await new Dom0Connection(paths, sshPort).open();
		const ready = { ...state, ready: true, bootSeconds: (Date.now() - started) / 1000 };
		await writeLabState(paths, ready);
		onProgress(`ready: ssh answers ${ready.bootSeconds.toFixed(1)} s after power-on`);
		return ready;
	} catch (error) {
		await killMachine(machine);
		await rm(paths.state, { force: true });
		throw error;
	} finally {
		// QEMU has read it, and it is large.
		await rm(paths.initrd, { force: true });
		await rm(paths.overlay, { force: true });
	}
}
