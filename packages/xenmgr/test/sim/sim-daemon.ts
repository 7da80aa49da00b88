import { mkdir, rename, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ApiClient } from "@bulkhead/api/client";
import { LISTENER_INBOX } from "@bulkhead/api/relay";
import type { SimProcess } from "@bulkhead/hypervisor/sim";
import type { SimImages, SimulatedHost } from "@bulkhead/sim-host";
import { pino } from "pino";
import { runDaemon } from "../../src/daemon.ts";
import type { DaemonOptions } from "../../src/options.ts";
import { CuttableSocket } from "./cuttable-socket.ts";

export interface SimDaemonParts {
	simulated: SimulatedHost;
	images: SimImages;
	directory: string;
	/** Of the relay. */
	controlSocket: string;
	serveAllConsoles?: boolean;
	browsers?: DaemonOptions["browsers"];
	options?: Partial<Pick<DaemonOptions, "vncTls" | "vncAllowPlain" | "guestCpus">>;
	onLog: (line: string) => void;
}

let count = 0;

/**
 * One life of bulkheadd as a process of a simulated host. Everything by which it reaches the world is its own, so that
 * `kill` can take all of it away at one instant, whatever its code is about to do.
 */
export class SimDaemon {
	readonly process: SimProcess;
	readonly client: ApiClient;
	readonly socketPath: string;
	readonly #sockets: CuttableSocket[];
	readonly #state: string;
	readonly #stop = new AbortController();
	readonly #run: Promise<void>;

	static async start(parts: SimDaemonParts): Promise<SimDaemon> {
		const number = ++count;
		const at = (name: string): string => join(parts.directory, `${name}-${number}`);
		const sockets = await Promise.all([
			CuttableSocket.open(at("xs"), join(parts.directory, "xs")),
			CuttableSocket.open(at("relay"), parts.controlSocket),
		]);
		await mkdir(join(parts.directory, "guests"), { recursive: true });
		await symlink("guests", at("state"));
		const [xenstore, relay] = sockets;
		const { serveAllConsoles = false, browsers, options } = parts;
		return new SimDaemon(parts, sockets, {
			hypervisor: "sim",
			simDirectory: parts.directory,
			simMemoryMiB: 0,
			xenstoreSocket: xenstore?.path ?? "",
			relaySocket: relay?.path ?? "",
			relayInbox: join(dirname(parts.controlSocket), LISTENER_INBOX),
			socket: at("api"),
			browsers,
			stateDirectory: at("state"),
			firmware: parts.images.firmware,
			bios: parts.images.bios,
			ovmf: join(parts.directory, "images", "OVMF.fd"),
			qemu: join(parts.directory, "images", "qemu"),
			pvGrub: parts.images.guestKernel,
			pvhGrub: join(parts.directory, "images", "grub-pvh"),
			dumpDirectory: join(parts.directory, "dumps"),
			logDirectory: join(parts.directory, "log"),
			stubKernel: parts.images.stubKernel,
			stubRamdisk: parts.images.stubRamdisk,
			stubCommandLine: "",
			stubMemoryMiB: 128,
			imageUser: "bulkhead-image",
			guestCpus: {},
			bridge: "xenbr0",
			scriptDirectory: "/scripts",
			vncAllowPlain: false,
			serveAllConsoles,
			logLevel: "info",
			allowFaults: true,
			...options,
		});
	}

	private constructor({ simulated, onLog }: SimDaemonParts, sockets: CuttableSocket[], options: DaemonOptions) {
		this.process = simulated.host.startProcess("bulkheadd");
		this.#sockets = sockets;
		this.#state = options.stateDirectory;
		this.socketPath = options.socket;
		this.client = new ApiClient({ socketPath: options.socket });
		const log = pino({ level: "info" }, { write: onLog });
		this.process.ended.addEventListener("abort", () => void this.#vanish());
		this.#run = runDaemon({ options, hypervisor: this.process.hypervisor, log, signal: this.#stop.signal });
		// A daemon that dies loses xenstored first: its own complaint is nobody's.
		this.#run.catch(() => {});
	}

	/** As SIGTERM: the daemon ends by itself, guests run on. @throws what the daemon fails with */
	async stop(): Promise<void> {
		this.#stop.abort(new Error("stop"));
		await this.#run;
		this.process.end();
	}

	/** Rejects when the daemon fails by itself. */
	get ended(): Promise<void> {
		return this.#run;
	}

	/** xenstored is gone for this daemon. */
	cutXenstore(): void {
		this.#sockets[0]?.cut();
	}

	/** As SIGKILL. A fault that kills the process comes to the same. */
	async kill(): Promise<void> {
		this.process.end();
		await this.#run.catch(() => {});
	}

	async #vanish(): Promise<void> {
		for (const socket of this.#sockets) socket.cut();
		// What it still writes down goes nowhere.
		const gone = rename(this.#state, `${this.#state}-dead`);
		this.#stop.abort(new Error("dead"));
		await gone;
	}
}
