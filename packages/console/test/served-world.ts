import { join } from "node:path";
import { randomUuid, type Uuid } from "@bulkhead/base";
import { onTestFinished } from "vitest";
import { Journal } from "../src/journal/journal.ts";
import type { ClientSocket } from "../src/serve/client-socket.ts";
import { openFramedSocket } from "../src/serve/framed-socket.ts";
import { ServedConsole } from "../src/serve/served-console.ts";
import { FakeFrontend, FakeRingHost } from "../src/testing/index.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

/** One guest's console, served by a relay that can be killed and started again. */
export class ServedWorld {
	readonly guest: Uuid = randomUuid();
	readonly directory: string = temporaryDirectory();
	readonly host: FakeRingHost = new FakeRingHost();
	readonly frontend: FakeFrontend;
	readonly rawPath: string = join(this.directory, "raw.sock");
	readonly framedPath: string = join(this.directory, "console.sock");
	console!: ServedConsole;
	#framed: ClientSocket | undefined;
	readonly #segmentBytes: number | undefined;
	readonly #pty: boolean;

	private constructor(options: { segmentBytes?: number; pty?: boolean; startAt?: number }) {
		this.frontend = new FakeFrontend(this.host, { domid: 7, gref: 11, port: 4, startAt: options.startAt });
		this.#segmentBytes = options.segmentBytes;
		this.#pty = options.pty ?? false;
	}

	static async start(options: { segmentBytes?: number; pty?: boolean; startAt?: number } = {}): Promise<ServedWorld> {
		const world = new ServedWorld(options);
		await world.serve();
		onTestFinished(() => {
			world.#framed?.destroy();
			world.console.destroy();
			world.host.assertIdle();
		});
		return world;
	}

	/** Attaches the console and opens the sockets. */
	async serve(frontend: FakeFrontend = this.frontend): Promise<void> {
		this.console = await ServedConsole.open({
			evtchns: this.host.evtchns,
			grants: this.host.grants,
			devices: this.host.devices,
			ptyFiles: this.host.devices.files,
			domid: frontend.domid,
			gref: frontend.gref,
			remotePort: frontend.port,
			ringId: `boot/${frontend.domid}/${frontend.gref}/${frontend.port}`,
			journal: Journal.open({ directory: this.directory, label: "serial0", segmentBytes: this.#segmentBytes }),
			socketPath: this.rawPath,
			pty: this.#pty,
			onBroken: () => {},
		});
		this.#framed ??= await openFramedSocket({
			path: this.framedPath,
			find: (guest, label) => {
				return guest === this.guest && label === "serial0" ? this.console : undefined;
			},
		});
	}

	/** All sockets close at once and the memory is let go, as when the process is killed between two turns. */
	kill(): void {
		this.#framed?.destroy();
		this.#framed = undefined;
		this.console.destroy();
	}
}
