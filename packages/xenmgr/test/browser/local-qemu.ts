import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { delay, withDeadline } from "@bulkhead/base";
import { DebianPackages, machineRelease } from "@bulkhead/image";
import { openEmulator } from "@bulkhead/lab/emulator";
import { QmpClient } from "@bulkhead/qmp";
import type { Frame } from "@bulkhead/screen";
import { bootSector } from "./boot-sector.ts";

const START_MS = 60_000;
const COLUMNS = 80;
const ROWS = 25;

/** A QEMU of this machine with a screen on a unix socket: what the relay serves, without Xen. */
export class LocalQemu implements AsyncDisposable {
	readonly #directory: string;
	readonly #process: ChildProcess;
	#qmp!: QmpClient;

	static async start({ directory, screen }: { directory: string; screen: string }): Promise<LocalQemu> {
		const debian = await DebianPackages.open({ release: await machineRelease() });
		const { argv, env } = await openEmulator(debian);
		const disk = join(directory, "boot.img");
		const monitor = join(directory, "monitor.sock");
		await writeFile(disk, bootSector());
		await Promise.all([screen, monitor].map((path) => rm(path, { force: true })));
		const [program, ...args] = argv;
		const child = spawn(
			program,
			[
				...args,
				...["-M", "pc", "-accel", "tcg", "-m", "16", "-nodefaults", "-device", "VGA"],
				...["-drive", `file=${disk},format=raw,if=ide`, "-display", "none", "-vnc", `unix:${screen}`],
				...["-qmp", `unix:${monitor},server=on,wait=off`],
			],
			{ env: { ...process.env, ...env }, stdio: ["ignore", "inherit", "inherit"] },
		);
		const qemu = new LocalQemu(directory, child);
		await withDeadline(qemu.#connect(monitor), { timeoutMs: START_MS, what: "QEMU's monitor" });
		return qemu;
	}

	private constructor(directory: string, child: ChildProcess) {
		this.#directory = directory;
		this.#process = child;
	}

	/** A command of its monitor. */
	execute(command: string, args?: Record<string, unknown>): Promise<unknown> {
		return this.#qmp.execute(command, args);
	}

	/** The screen as QEMU itself writes it down. */
	async screendump(): Promise<Frame> {
		const path = join(this.#directory, "dump.ppm");
		await this.#qmp.execute("screendump", { filename: path });
		return parsePpm(await readFile(path));
	}

	/** The text on the screen, from the memory of the graphics card: lines joined, spaces at their ends left out. */
	async text(): Promise<string> {
		const path = join(this.#directory, "text.bin");
		await this.#qmp.execute("pmemsave", { val: 0xb8000, size: 2 * COLUMNS * ROWS, filename: path });
		const cells = Buffer.from((await readFile(path)).filter((_, index) => index % 2 === 0)).toString("latin1");
		return Array.from({ length: ROWS }, (_, row) => cells.slice(row * COLUMNS, (row + 1) * COLUMNS).trimEnd())
			.join("\n")
			.trimEnd();
	}

	async [Symbol.asyncDispose](): Promise<void> {
		if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
		const gone = once(this.#process, "exit");
		this.#process.kill("SIGKILL");
		await gone;
	}

	async #connect(path: string): Promise<void> {
		for (;;) {
			if (this.#process.exitCode !== null) throw new Error(`QEMU ended with ${this.#process.exitCode}`);
			const socket = connect(path);
			const isThere = await new Promise<boolean>((resolve) => {
				socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
			});
			if (isThere) {
				this.#qmp = await QmpClient.open(socket, { greetingTimeoutMs: START_MS });
				return;
			}
			await delay(20);
		}
	}
}

/** PPM, binary, 8 bits: "P6 WIDTH HEIGHT 255" and three bytes a pixel. */
function parsePpm(bytes: Buffer): Frame {
	const head = /^P6\s+(\d+)\s+(\d+)\s+255\s/.exec(bytes.subarray(0, 64).toString("latin1"));
	if (!head) throw new TypeError("No PPM");
	const [all, width, height] = head;
	return { width: Number(width), height: Number(height), rgb: bytes.subarray(all.length) };
}
