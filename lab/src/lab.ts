import type { ChildProcess } from "node:child_process";
import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { posix } from "node:path";
import { BulkheadError, InvalidInputError } from "@bulkhead/base";
import { FileLock } from "@bulkhead/image";
import { awaitToolstack } from "./await-toolstack.ts";
import { bootLab, type LabUpOptions } from "./boot-lab.ts";
import { Dom0Connection } from "./dom0-connection.ts";
import type { ExecOptions, ExecResult } from "./exec-result.ts";
import { type LabPaths, labPaths } from "./lab-paths.ts";
import { findLiveState, type LabDescription, type LabState } from "./lab-state.ts";
import { awaitExit, killMachine } from "./machine.ts";
import { xenAnswers } from "./xen-answers.ts";

export interface LabStatus {
	running: boolean;
	ready?: boolean;
	startedAt?: string;
	bootSeconds?: number;
	description?: LabDescription;
}

const CONTROL_TIMEOUT_MS = 20 * 60_000;
const ATTACH_TIMEOUT_MS = 4 * 60_000;
const POWER_OFF_TIMEOUT_MS = 20_000;
const COPY_TIMEOUT_MS = 300_000;

/** A real Xen host under QEMU, and a way to run programs in its dom0. */
export class Lab {
	readonly paths: LabPaths;
	readonly state: LabState;
	readonly connection: Dom0Connection;

	private constructor(paths: LabPaths, state: LabState) {
		this.paths = paths;
		this.state = state;
		this.connection = new Dom0Connection(paths, state.sshPort);
	}

	/**
	 * Boots the lab, or attaches to the one that runs. A machine that another process left half booted is replaced.
	 * @throws InvalidInputError when a lab of another release or with another xenstored runs; LabBootError
	 */
	static async up(options: LabUpOptions = {}): Promise<Lab> {
		const onProgress = options.onProgress ?? (() => {});
		const paths = labPaths();
		await using _lock = await controlLock(paths, options);
		const running = await findLiveState(paths);
		if (running?.ready) {
			if (options.release && options.release !== running.description.release) {
				throw anotherRuns(running.description.release, options.release);
			}
			if (options.xenstored && options.xenstored !== running.description.xenstored) {
				throw anotherRuns(running.description.xenstored, options.xenstored);
			}
			onProgress(`already up since ${running.startedAt}`);
			const lab = new Lab(paths, running);
			await lab.connection.open();
			return lab;
		}
		if (running) {
			onProgress("replacing a machine whose boot was interrupted");
			await killMachine(running.machine);
		}
		return Lab.#boot(paths, options);
	}

	/** Pulls the plug of the machine that runs, if any, and boots another. */
	static async replace(options: LabUpOptions = {}): Promise<Lab> {
		const paths = labPaths();
		await using _lock = await controlLock(paths, options);
		const running = await findLiveState(paths);
		if (running) {
			await killMachine(running.machine);
			await new Dom0Connection(paths, running.sshPort).close();
		}
		return Lab.#boot(paths, options);
	}

	static async #boot(paths: LabPaths, options: LabUpOptions): Promise<Lab> {
		const lab = new Lab(paths, await bootLab(paths, options));
		await awaitToolstack(lab);
		options.onProgress?.("the toolstack in dom0 answers");
		return lab;
	}

	/** The lab that runs, or that somebody is starting. @throws BulkheadError `lab-down` */
	static async attach(): Promise<Lab> {
		const lab = (await Lab.findRunning()) ?? (await Lab.#afterBoot());
		if (!lab) {
			throw new BulkheadError("lab-down", "No lab is running", { remedy: "Start it with `npm run lab -- up`" });
		}
		await lab.connection.open();
		return lab;
	}

	/** The lab that runs, without making sure that it answers. */
	static async findRunning(): Promise<Lab | undefined> {
		const paths = labPaths();
		const state = await findLiveState(paths);
		return state?.ready ? new Lab(paths, state) : undefined;
	}

	static async #afterBoot(): Promise<Lab | undefined> {
		await using _lock = await controlLock(labPaths(), { timeoutMs: ATTACH_TIMEOUT_MS });
		return Lab.findRunning();
	}

	static async status(): Promise<LabStatus> {
		const state = await findLiveState(labPaths());
		if (!state) return { running: false };
		const { ready, startedAt, bootSeconds, description } = state;
		return { running: true, ready, startedAt, bootSeconds, description };
	}

	/** Ends whatever lab runs. @returns false when none did */
	static async down(onProgress: (line: string) => void = () => {}): Promise<boolean> {
		const paths = labPaths();
		await using _lock = await controlLock(paths);
		const state = await findLiveState(paths);
		if (state) {
			const connection = new Dom0Connection(paths, state.sshPort);
			if (state.ready) {
				onProgress("asking dom0 to power off");
				// `poweroff -f`: there is nothing on disk to flush, and init is a shell script that would ignore a request.
				await connection.exec(["poweroff", "-f"], { timeoutMs: POWER_OFF_TIMEOUT_MS }).catch(() => {});
				await awaitExit(state.machine, POWER_OFF_TIMEOUT_MS).catch(() =>
					onProgress("dom0 does not answer: pulling the plug"),
				);
			}
			await connection.close();
			await killMachine(state.machine);
		}
		for (const path of [
			paths.state,
			paths.sshSocket,
			paths.daemonSocket,
			paths.serialSocket,
			paths.initrd,
			paths.overlay,
		]) {
			await rm(path, { force: true });
		}
		return state !== undefined;
	}

	describe(): LabDescription {
		return this.state.description;
	}

	/** Runs a program in dom0 to its end; a status other than 0 is a result and no error. */
	exec(argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
		return this.connection.exec(argv, options);
	}

	/** Runs a program that must succeed. @returns its standard output @throws BulkheadError `lab-exec-failed` with its stderr */
	async run(argv: readonly string[], options: ExecOptions = {}): Promise<string> {
		const { stdout, stderr, exitCode } = await this.exec(argv, options);
		if (exitCode === 0) return stdout.toString("utf8");
		const text = stdout.toString("utf8");
		throw new BulkheadError(
			"lab-exec-failed",
			`${argv.join(" ")} ended with ${exitCode}: ${stderr.trim() || text.trim()}`,
			{
				fields: { argv, exitCode, stderr, stdout: text },
			},
		);
	}

	/** Starts a program in dom0 and leaves its streams to the caller: the local ssh, whose status is the program's. */
	spawn(argv: readonly string[]): ChildProcess {
		return this.connection.spawn(argv).child;
	}

	/** Copies a file into dom0, folders made as needed. Readers see the old file or the new one. */
	async put(localPath: string, remotePath: string, mode?: number): Promise<void> {
		const content = await readFile(localPath);
		const bits = (mode ?? (await stat(localPath)).mode & 0o777).toString(8);
		const script = 'mkdir -p "$2" && cat >"$1.new" && chmod "$3" "$1.new" && mv -f "$1.new" "$1"';
		await this.run(["sh", "-c", script, "put", remotePath, posix.dirname(remotePath), bits], {
			stdin: content,
			timeoutMs: COPY_TIMEOUT_MS,
		});
	}

	/** Copies a file out of dom0. */
	async get(remotePath: string, localPath: string): Promise<void> {
		const { stdout, stderr, exitCode } = await this.exec(["cat", "--", remotePath], { timeoutMs: COPY_TIMEOUT_MS });
		if (exitCode !== 0)
			throw new BulkheadError("lab-exec-failed", `Could not read ${remotePath} in dom0: ${stderr.trim()}`);
		await writeFile(localPath, stdout);
	}

	/** Ends the programs that this object started. The lab itself goes on. */
	close(): void {
		this.connection.releasePrograms();
	}

	/**
	 * Whether the machine itself goes on: dom0 takes commands, or Xen answers on its serial port. When neither does for so
	 * long, the emulator has lost a processor, and only `down` helps.
	 */
	async isAlive(timeoutMs: number): Promise<boolean> {
		const answers = await this.exec(["true"], { timeoutMs }).then(
			({ exitCode }) => exitCode === 0,
			() => false,
		);
		return answers || (await xenAnswers(this.paths, timeoutMs));
	}

	/** Ends this lab. */
	async down(onProgress: (line: string) => void = () => {}): Promise<void> {
		await Lab.down(onProgress);
	}
}

function controlLock(
	{ controlLock: path }: LabPaths,
	{ timeoutMs = CONTROL_TIMEOUT_MS, signal }: { timeoutMs?: number; signal?: AbortSignal } = {},
): Promise<FileLock> {
	return FileLock.acquire(path, { timeoutMs, signal });
}

const anotherRuns = (runs: string, wanted: string): InvalidInputError =>
	new InvalidInputError(`The lab runs ${runs} and not ${wanted}`, {
		remedy: "End it with `npm run lab -- down` first",
	});
