import { connect } from "node:net";
import { DOM0 } from "@bulkhead/base";
import type { SimMachine } from "@bulkhead/hypervisor/sim";
import { openVchanServer, type VchanServer, type VchanSession } from "@bulkhead/vchan";
import type { XenstoreClient } from "@bulkhead/xenstore";
import { RfbServer } from "./rfb-server.ts";
import { SimPicture } from "./sim-picture.ts";

/** As the stub domain's init has them: how many viewers, and the orders of the rings to and from each. */
const SLOTS = 4;
const ORDERS = { leftOrder: 11, rightOrder: 16 } as const;
const ARGUMENT = /^unix:\/run\/bulkhead-screen\.sock(?:,|$)/;

export interface ScreenChannelsParts {
	machine: SimMachine;
	store: XenstoreClient;
	/** The stub's directory for this guest. */
	path: string;
	/** QEMU's. */
	args: readonly string[];
	/** A real VNC server's socket, in place of our own picture. */
	socketPath?: string;
	/** What a stub domain in wrong hands does with a viewer's stream: true when it has dealt with it. */
	lies?: (session: VchanSession) => boolean;
}

/** QEMU's screen over vchans of the stub domain, one viewer each; none when QEMU was given no screen to serve. */
export class ScreenChannels {
	/** Keys that viewers pressed, in their order. */
	readonly keys: number[] = [];
	readonly picture: SimPicture;
	readonly #parts: ScreenChannelsParts;
	readonly #servers: VchanServer[] = [];

	constructor(parts: ScreenChannelsParts) {
		this.#parts = parts;
		this.picture = new SimPicture("QEMU (simulated)");
	}

	async open(): Promise<void> {
		const { machine, store, path, args } = this.#parts;
		if (!args.some((arg, at) => args[at - 1] === "-vnc" && ARGUMENT.test(arg))) return;
		const { offers, rings } = machine.process;
		const parts = { offers, evtchns: rings.evtchns, domid: DOM0, ...ORDERS };
		for (let slot = 0; slot < SLOTS; slot++) {
			const server = openVchanServer({ ...parts, onSession: (session) => this.#serve(session) });
			this.#servers.push(server);
			await Promise.all([
				store.write(`${path}/screen-vchan/${slot}/event-channel`, server.port),
				store.write(`${path}/screen-vchan/${slot}/ring-ref`, server.ringRef),
			]);
		}
	}

	/** With QEMU: the channels are withdrawn. */
	async close(): Promise<void> {
		const { store, path } = this.#parts;
		const servers = this.#servers.splice(0);
		await Promise.all(servers.map((server) => server.close()));
		if (servers.length > 0) await store.remove(`${path}/screen-vchan`);
	}

	#serve(session: VchanSession): void {
		const { socketPath, lies } = this.#parts;
		session.on("error", () => {});
		if (lies?.(session)) return;
		if (socketPath === undefined) {
			new RfbServer(session, this.picture, (keysym, isDown) => this.#press(keysym, isDown));
			return;
		}
		const socket = connect({ path: socketPath });
		socket.on("error", () => {});
		socket.once("close", () => session.destroy());
		session.once("close", () => socket.destroy());
		session.pipe(socket).pipe(session);
	}

	#press(keysym: number, isDown: boolean): void {
		if (!isDown) return;
		this.keys.push(keysym);
		this.picture.type(keysym);
	}
}
