import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ApiClient, Guest } from "@bulkhead/api/client";
import { DeadlineError, delay, type Uuid } from "@bulkhead/base";
import { ConsoleSession } from "@bulkhead/console/session";
import { VirtualClock } from "@bulkhead/hypervisor/sim";
import {
	type HostCounts,
	type SimImages,
	SimulatedHost,
	type SimulatedHostOptions,
	writeSimImages,
} from "@bulkhead/sim-host";
import { onTestFinished } from "vitest";
import type { DaemonOptions } from "../../src/options.ts";
import { type SimulatedRelay, startSimulatedRelay } from "../../src/simulated/simulated-relay.ts";
import { SimDaemon, type SimDaemonParts } from "./sim-daemon.ts";

const EVENTUALLY_MS = 10_000;
/** Records and journals are on the disk before a call returns: memory is a quicker one. */
const MEMORY_DISK = "/dev/shm";

/** A simulated host with relay and daemon, in a folder of its own. At the end nothing may be left on it. */
export class SimWorld {
	readonly clock: VirtualClock;
	readonly simulated: SimulatedHost;
	readonly directory: string;
	readonly images: SimImages;
	readonly log: string[] = [];
	/** What relays did, a line each. */
	readonly relayed: string[] = [];
	/** Of daemons that start from now on: consoles of other toolstacks' domains are theirs to serve. */
	serveAllConsoles = false;
	/** Of daemons that start from now on: where they serve browsers. */
	browsers: DaemonOptions["browsers"];
	/** The same: what the daemon is told besides. */
	options: SimDaemonParts["options"] = {};
	relay!: SimulatedRelay;
	daemon!: SimDaemon;
	readonly #atBoot: HostCounts;
	#sessions: ConsoleSession[] = [];

	static async start({
		browsers,
		...options
	}: Omit<SimulatedHostOptions, "xenstoreSocket" | "clock"> & {
		browsers?: DaemonOptions["browsers"];
	} = {}): Promise<SimWorld> {
		const directory = await mkdtemp(join(existsSync(MEMORY_DISK) ? MEMORY_DISK : tmpdir(), "bhs-"));
		const clock = new VirtualClock();
		const simulated = await SimulatedHost.start({ ...options, clock, xenstoreSocket: join(directory, "xs") });
		const world = new SimWorld(directory, clock, simulated, await writeSimImages(join(directory, "images")));
		world.browsers = browsers;
		onTestFinished(() => world.end());
		await world.startRelay();
		await world.startDaemon();
		return world;
	}

	private constructor(directory: string, clock: VirtualClock, simulated: SimulatedHost, images: SimImages) {
		this.directory = directory;
		this.clock = clock;
		this.simulated = simulated;
		this.images = images;
		this.#atBoot = simulated.counts;
	}

	get client(): ApiClient {
		return this.daemon.client;
	}

	/** The xenstore tree as it is. */
	get tree(): Record<string, string> {
		return this.simulated.xenstored.host.toJSON();
	}

	get counts(): HostCounts {
		return this.simulated.counts;
	}

	async startRelay(): Promise<void> {
		this.relay = await startSimulatedRelay(this.simulated.host, {
			controlSocket: join(this.directory, "relay", "control.sock"),
			stateDirectory: join(this.directory, "journals"),
			log: {
				info: (_, line) => this.relayed.push(line),
				warn: (_, line) => this.log.push(line),
				error: (_, line) => this.log.push(line),
			},
		});
	}

	/** Another life of the daemon, once the one before is over. Resolves when it answers and has its relay. */
	async startDaemon(): Promise<void> {
		this.daemon = await SimDaemon.start({
			simulated: this.simulated,
			images: this.images,
			directory: this.directory,
			controlSocket: join(this.directory, "relay", "control.sock"),
			serveAllConsoles: this.serveAllConsoles,
			browsers: this.browsers,
			options: this.options,
			onLog: (line) => this.log.push(line),
		});
		await this.eventually("the daemon and its relay", async () => {
			const host = await this.client.host().catch(() => undefined);
			return host?.relay.connected || undefined;
		});
	}

	/** An HVM guest with a disk and a serial port, with more lines of config if need be. */
	hvm(name: string, ...lines: string[]): string {
		const disk = `disk = ["${this.images.disk},raw,hda,w"]`;
		return [`name="${name}"`, 'type="hvm"', "memory=64", "videoram=8", 'serial="pty"', disk, ...lines].join("\n");
	}

	pv(name: string, ...lines: string[]): string {
		return [`name="${name}"`, 'type="pv"', "memory=32", `kernel="${this.images.guestKernel}"`, ...lines].join("\n");
	}

	async create(configText: string, { paused = false }: { paused?: boolean } = {}): Promise<Guest> {
		const { guest } = await this.client.create({
			configText,
			file: "test.cfg",
			baseDir: this.directory,
			overrides: [],
			paused,
			dryRun: false,
		});
		if (!guest) throw new Error("No guest in the answer");
		return guest;
	}

	/** Every line of the answer to a create, with a fault header. A connection that breaks ends the list. */
	createWithFault(configText: string, fault: string): Promise<Record<string, unknown>[]> {
		const body = JSON.stringify({
			configText,
			file: "test.cfg",
			baseDir: this.directory,
			overrides: [],
			paused: false,
			dryRun: false,
		});
		return new Promise((resolve) => {
			let text = "";
			const finish = (): void =>
				resolve(
					text
						.split("\n")
						.filter(Boolean)
						.map((line) => JSON.parse(line)),
				);
			const headers = { "content-type": "application/json", "x-bulkhead-fault": fault };
			const call = request(
				{ socketPath: this.daemon.socketPath, path: "/v1/guests", method: "POST", headers },
				(answer) => {
					answer.on("data", (chunk: Buffer) => {
						text += chunk.toString();
					});
					answer.once("close", finish);
					answer.on("error", () => {});
				},
			);
			call.on("error", finish);
			call.end(body);
		});
	}

	async find(name: string): Promise<Guest | undefined> {
		return (await this.client.guests()).find((guest) => guest.name === name);
	}

	/** A console from its start. */
	async console(guest: { uuid: Uuid }, label: string): Promise<ConsoleSession> {
		const session = await ConsoleSession.open({
			socketPath: join(this.directory, "relay", "console.sock"),
			guest: guest.uuid,
			console: label,
			from: "start",
			input: label !== "stub",
		});
		session.on("error", () => {});
		this.#sessions.push(session);
		return session;
	}

	async file(name: string, contents: string): Promise<string> {
		const path = join(this.directory, name);
		await writeFile(path, contents);
		return path;
	}

	/** Waits for a state with a deadline. @throws DeadlineError that says what was awaited */
	async eventually<T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
		const deadline = performance.now() + EVENTUALLY_MS;
		for (;;) {
			const found = await look();
			if (found !== undefined && found !== false) return found;
			if (performance.now() > deadline)
				throw new DeadlineError(`Gave up waiting for ${what}; the log ends with: ${this.log.slice(-3).join("")}`);
			await delay(2);
		}
	}

	async end(): Promise<void> {
		for (const session of this.#sessions) session.destroy();
		for (const guest of await this.client.guests().catch(() => []))
			await this.client.destroy(guest.uuid).catch(() => {});
		await this.daemon.stop().catch(() => {});
		this.relay.stop();
		try {
			this.simulated.assertIdle();
			const { watches, transactions } = this.#atBoot;
			await this.eventually("xenstored to hold no more than after boot", () => {
				return (this.counts.watches === watches && this.counts.transactions === transactions) || undefined;
			});
		} finally {
			await this.simulated.close();
			await rm(this.directory, { recursive: true, force: true });
		}
	}
}

/** Reads until the text has come. @throws DeadlineError with what has come instead */
export async function expectText(session: ConsoleSession, wanted: string): Promise<string> {
	let text = "";
	const collect = (chunk: unknown): void => {
		text += (chunk as Buffer).toString("latin1");
	};
	session.on("data", collect);
	const deadline = performance.now() + EVENTUALLY_MS;
	try {
		while (!text.includes(wanted)) {
			if (performance.now() > deadline)
				throw new DeadlineError(`Waited for ${JSON.stringify(wanted)}, got ${JSON.stringify(text)}`);
			await delay(2);
		}
		return text;
	} finally {
		session.off("data", collect);
	}
}
