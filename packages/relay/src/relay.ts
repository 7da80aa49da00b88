import { mkdirSync, rmSync } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";
import { LISTENER_INBOX, type RelayResult } from "@bulkhead/api/relay";
import { BulkheadError, type Uuid } from "@bulkhead/base";
import {
	type ClientSocket,
	FairTurns,
	openFramedSocket,
	type PtyFiles,
	removeSocket,
	socketFd,
} from "@bulkhead/console";
import type { ListenerInbox, RingHost } from "@bulkhead/hypervisor";
import { ChannelTable } from "./channel/channel-table.ts";
import { ConsoleTable } from "./console/console-table.ts";
import type { RelayHandlers } from "./control/control-connection.ts";
import { ControlServer } from "./control/control-server.ts";
import { answers } from "./process/answers.ts";
import { measureLoopDelay } from "./process/loop-delay.ts";
import type { QmpDialer } from "./qmp/qmp-dialer.ts";
import { DEFAULT_QMP_POLICY, type QmpPolicy } from "./qmp/qmp-policy.ts";
import { QmpTable } from "./qmp/qmp-table.ts";
import type { RelayLog } from "./relay-log.ts";
import { ScreenTable } from "./screen/screen-table.ts";
import { VERSION } from "./version.ts";

export interface RelayOptions {
	host: RingHost;
	dialQmp: QmpDialer;
	/**
	 * Sockets: `control.sock`, `console.sock`, `listeners.sock`, `guests/<uuid>/<label>.sock`,
	 * `guests/<uuid>/qmp/<role>.sock`, `guests/<uuid>/screen.sock`.
	 */
	runDirectory: string;
	/** Journals: `<uuid>/<label>.*`. */
	stateDirectory: string;
	bootId: string;
	log: RelayLog;
	qmpPolicy?: QmpPolicy;
	segmentBytes?: number;
	/** For fake ptys. */
	ptyFiles?: PtyFiles;
}

/**
 * The whole relay over its ports: console rings, QMP sessions and screens on one side, unix sockets on the other. It may be
 * killed at any instant: the next one continues from the rings and the journals, once it is told what to attach.
 */
export class Relay {
	readonly #turns = new FairTurns();
	readonly #consoles: ConsoleTable;
	#channels: ChannelTable | undefined;
	#screens: ScreenTable | undefined;
	#inbox: ListenerInbox | undefined;
	readonly #qmps: QmpTable;
	readonly #options: RelayOptions;
	readonly #stopping = new AbortController();
	#control: ControlServer | undefined;
	#framed: ClientSocket | undefined;

	/** @throws BulkheadError `relay-runs-already`, `cannot-listen` */
	static async start(options: RelayOptions): Promise<Relay> {
		const relay = new Relay(options);
		try {
			await relay.#listen();
			return relay;
		} catch (error) {
			relay.stop();
			throw error;
		}
	}

	private constructor(options: RelayOptions) {
		this.#options = options;
		const { host, log, bootId, stateDirectory, segmentBytes, ptyFiles } = options;
		this.#consoles = new ConsoleTable({
			host,
			turns: this.#turns,
			guestsDirectory: join(options.runDirectory, "guests"),
			journalDirectory: stateDirectory,
			bootId,
			log,
			segmentBytes,
			ptyFiles,
			onEnded: (ended) => this.#control?.notify("console-ended", ended),
		});
		this.#qmps = new QmpTable({
			dial: options.dialQmp,
			policy: options.qmpPolicy ?? DEFAULT_QMP_POLICY,
			guestsDirectory: join(options.runDirectory, "guests"),
			admit: (socket) => this.#admit(socket),
			log,
			onEvent: (event) => this.#control?.notify("qmp-event", event),
			onEnded: (ended) => this.#control?.notify("qmp-ended", ended),
		});
	}

	/** Lets go of everything and removes the sockets; rings and journals stay for the next relay. Idempotent. */
	stop(): void {
		this.#stopping.abort();
		this.#control?.close();
		// Before the consoles: a client that only loses its connection looks for the next relay.
		this.#framed?.destroy();
		this.#control = undefined;
		this.#framed = undefined;
		this.#consoles.stop();
		this.#channels?.stop();
		this.#screens?.stop();
		if (this.#inbox) removeSocket(join(this.#options.runDirectory, LISTENER_INBOX));
		this.#inbox?.close();
		this.#inbox = undefined;
		this.#qmps.stop();
	}

	async #listen(): Promise<void> {
		const { runDirectory, stateDirectory, log } = this.#options;
		const controlPath = join(runDirectory, "control.sock");
		if (await answers(controlPath))
			throw new BulkheadError("relay-runs-already", `Another relay listens on ${controlPath}`, {
				remedy: "Stop it first, or give this one a --run-dir of its own",
			});
		mkdirSync(stateDirectory, { recursive: true, mode: 0o750 });
		// Whatever a killed relay left: nobody listens on it.
		rmSync(join(runDirectory, "guests"), { recursive: true, force: true });
		mkdirSync(join(runDirectory, "guests"), { recursive: true, mode: 0o750 });
		const admit = (socket: Socket): boolean => this.#admit(socket);
		this.#framed = await openFramedSocket({
			path: join(runDirectory, "console.sock"),
			find: (guest, label) => this.#consoles.find(guest, label),
			admit,
		});
		const inbox = this.#options.host.openListenerInbox(join(runDirectory, LISTENER_INBOX));
		this.#inbox = inbox;
		const { host } = this.#options;
		this.#screens = new ScreenTable({ host, inbox, runDirectory, admit, log });
		const handlers = this.#handlers(this.#openChannels(inbox), this.#screens);
		this.#control = await ControlServer.open({ path: controlPath, handlers, admit, log });
	}

	#openChannels(inbox: ListenerInbox): ChannelTable {
		const { host, log, ptyFiles } = this.#options;
		this.#channels = new ChannelTable({
			host,
			turns: this.#turns,
			inbox,
			log,
			ptyFiles,
			onEnded: (ended) => this.#control?.notify("channel-ended", ended),
		});
		return this.#channels;
	}

	/** Root, or the relay's own user. */
	#admit(socket: Socket): boolean {
		const fd = socketFd(socket);
		if (fd === undefined) return false;
		const { uid, pid } = this.#options.host.devices.peerCredentials(fd);
		if (uid === 0 || uid === process.getuid?.()) return true;
		this.#options.log.warn({ uid, pid }, "Refused a connection");
		return false;
	}

	#handlers(channels: ChannelTable, screens: ScreenTable): RelayHandlers {
		const consoles = this.#consoles;
		const qmps = this.#qmps;
		const holdings = (guest?: Uuid): RelayResult<"list"> => ({
			consoles: consoles.list(guest),
			channels: channels.list(guest),
			qmps: qmps.list(guest),
			screens: screens.list(guest),
		});
		return {
			hello: () => ({ version: VERSION, pid: process.pid, ...holdings() }),
			list: ({ guest }) => holdings(guest),
			"attach-console": (request) => consoles.attach(request),
			"detach-console": async (request) => {
				await consoles.detach(request, request);
				return {};
			},
			tail: (request) => consoles.tail(request),
			"loop-delay": ({ forMs }) => measureLoopDelay(forMs, this.#stopping.signal),
			"attach-channel": (request) => channels.attach(request),
			"detach-channel": async (request) => {
				await channels.detach(request);
				return {};
			},
			"attach-screen": (request) => screens.attach(request),
			"detach-screen": async ({ guest }) => {
				await screens.detach(guest);
				return {};
			},
			"attach-qmp": (request) => qmps.attach(request),
			"detach-qmp": ({ guest }) => {
				qmps.detach(guest);
				return {};
			},
			"qmp-execute": async ({ guest, command, arguments: args, timeoutMs }) => ({
				return: await qmps.execute(guest, { role: "toolstack", command, ...(args && { args }), timeoutMs }),
			}),
			"forget-guest": async ({ guest }) => {
				qmps.detach(guest);
				await screens.detach(guest);
				await channels.forget(guest);
				await consoles.forget(guest);
				return {};
			},
		};
	}
}
