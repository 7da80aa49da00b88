import { spawn } from "node:child_process";
import { open, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { BulkheadError, DeadlineError, delay, withDeadline } from "@bulkhead/base";
import type { Emulator } from "./emulator.ts";
import type { LabPaths } from "./lab-paths.ts";
import { findProcessIdentity, isSameProcess, type ProcessIdentity } from "./process-identity.ts";

const POLL_MS = 100;
const KILL_TIMEOUT_MS = 10_000;
const SERIAL_TAIL_LINES = 25;

/** The lab's machine did not come up. `fields`: serialTail. */
export class LabBootError extends BulkheadError {}

/** Starts QEMU detached from us. It holds the machine lock for as long as it lives. */
export async function startMachine(
	emulator: Emulator,
	args: readonly string[],
	paths: LabPaths,
): Promise<ProcessIdentity> {
	await rm(paths.serialSocket, { force: true });
	await rm(paths.serialLog, { force: true });
	await using log = await open(paths.qemuLog, "w");
	const child = spawn("flock", ["--no-fork", "--nonblock", paths.machineLock, ...emulator.argv, ...args], {
		cwd: paths.dir,
		detached: true,
		env: { ...process.env, ...emulator.env },
		stdio: ["ignore", log.fd, log.fd],
	});
	const exited = new Promise<never>((_, reject) => {
		child.once("error", (cause) => reject(new LabBootError("lab-boot-failed", "Could not start flock", { cause })));
		child.once("exit", (code) =>
			reject(new LabBootError("lab-boot-failed", `The lab's QEMU ended at once (status ${code})`)),
		);
	});
	exited.catch(() => {});
	// QEMU creates the serial port's socket when it has accepted its options.
	const listening = (async (): Promise<void> => {
		while (
			!(await readFile(paths.serialLog).then(
				() => true,
				() => false,
			))
		)
			await delay(POLL_MS);
	})();
	try {
		await withDeadline(Promise.race([listening, exited]), { timeoutMs: 30_000, what: "the lab's QEMU to start" });
	} catch (error) {
		child.kill("SIGKILL");
		const said = (await readFile(paths.qemuLog, "utf8").catch(() => "")).trim();
		throw new LabBootError("lab-boot-failed", `The lab's QEMU did not start${said ? `: ${said}` : ""}`, {
			cause: error,
			remedy: said
				? "See what QEMU says"
				: "Another lab of this user may be running: end it with `npm run lab -- down`",
		});
	}
	child.unref();
	const identity = child.pid === undefined ? undefined : await findProcessIdentity(child.pid);
	if (!identity) throw new LabBootError("lab-boot-failed", "The lab's QEMU ended at once");
	return identity;
}

/** Waits until dom0 says that it is ready. @returns seconds of dom0's own clock @throws LabBootError with the serial log's end */
export async function awaitReady(
	machine: ProcessIdentity,
	paths: LabPaths,
	options: { timeoutMs: number; signal?: AbortSignal; onProgress: (line: string) => void },
): Promise<number> {
	const deadline = Date.now() + options.timeoutMs;
	let told = 0;
	for (;;) {
		const log = await readFile(paths.serialLog, "latin1").catch(() => "");
		const lines = log.split(/\r?\n/);
		const steps = lines.slice(0, -1).filter((line) => line.startsWith("=== "));
		for (const step of steps.slice(told)) options.onProgress(`dom0: ${step.slice(4)}`);
		told = steps.length;
		const ready = steps.find((step) => step.startsWith("=== READY"));
		if (ready) return Number(ready.match(/after ([\d.]+) s/)?.[1] ?? Number.NaN);
		const alive = await isSameProcess(machine);
		if (!alive || Date.now() > deadline) {
			const tail = await serialTail(paths);
			throw new LabBootError(
				"lab-boot-failed",
				`${alive ? `dom0 was not ready after ${options.timeoutMs / 1000} s` : "The machine stopped while booting"}. Its serial console ends with:\n${tail}`,
				{
					fields: { serialTail: tail },
					remedy: "Read the whole log with `npm run lab -- logs serial`; on a busy machine simply try again",
				},
			);
		}
		await delay(POLL_MS, options.signal);
	}
}

export async function serialTail(paths: LabPaths): Promise<string> {
	const log = await readFile(paths.serialLog, "latin1").catch(() => "");
	return log.trimEnd().split(/\r?\n/).slice(-SERIAL_TAIL_LINES).join("\n");
}

export async function awaitExit(machine: ProcessIdentity, timeoutMs: number): Promise<void> {
	const deadline = Date.now() + timeoutMs;
	while (await isSameProcess(machine)) {
		if (Date.now() > deadline) throw new DeadlineError(`The lab's machine still runs after ${timeoutMs} ms`);
		await delay(POLL_MS);
	}
}

/** Ends QEMU whatever its guest does. */
export async function killMachine(machine: ProcessIdentity): Promise<void> {
	if (!(await isSameProcess(machine))) return;
	process.kill(machine.pid, "SIGKILL");
	await awaitExit(machine, KILL_TIMEOUT_MS);
}

/** A TCP port of the loopback interface that is free now. QEMU fails cleanly if someone is quicker. */
export async function findFreePort(): Promise<number> {
	const server = createServer();
	await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
	const address = server.address();
	await new Promise((resolve) => server.close(resolve));
	if (address === null || typeof address === "string") throw new LabBootError("lab-boot-failed", "No free TCP port");
	return address.port;
}
