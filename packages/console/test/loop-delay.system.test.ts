import { readFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { Worker } from "node:worker_threads";
import { type DomId, type EvtchnPort, type GrantRef, randomUuid, type Uuid } from "@bulkhead/base";
import type { EventChannels, GrantMaps } from "@bulkhead/hypervisor";
import { describe, expect, it, onTestFinished } from "vitest";
import { Journal } from "../src/journal/journal.ts";
import { FairTurns } from "../src/ring/fair-turns.ts";
import { openFramedSocket } from "../src/serve/framed-socket.ts";
import { ServedConsole } from "../src/serve/served-console.ts";
import { ConsoleSession } from "../src/session/console-session.ts";
import { FakeDevices } from "../src/testing/index.ts";
import { bundledWorker } from "./bundled-worker.ts";
import { FRONTEND_MANNERS, type FrontendManner, type FrontendThread } from "./frontend-thread.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

/** Node 20 has it, the types of ES2023 do not. */
const atomics = Atomics as typeof Atomics & {
	waitAsync(words: Int32Array, index: number, value: number): { async: boolean; value: Promise<string> | string };
};
const MEASURE_MS = 4000;
const RESOLUTION_MS = 5;
/** The goal for the whole relay. */
const P99_MS = 25;

describe("an event loop that serves hostile guests", () => {
	it(`is late by less than ${P99_MS} ms at the 99th percentile, and a neighbour's echo with it`, async () => {
		const world = await World.start([...FRONTEND_MANNERS, "flood", "flood", "notify", "echo"]);
		for (const { guest, manner } of world.consoles)
			if (manner !== "nonsense" && manner !== "echo") await world.read(guest);
		const neighbour = await world.read(world.consoles.at(-1)?.guest ?? randomUuid());
		const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
		histogram.enable();
		const busy = watchBusyness();
		const echoes: number[] = [];
		const end = performance.now() + MEASURE_MS;
		while (performance.now() < end) {
			const started = performance.now();
			neighbour.write("x");
			await new Promise((resolve) => neighbour.once("data", resolve));
			echoes.push(performance.now() - started);
		}
		histogram.disable();
		const figures = {
			lateP99Ms: histogram.percentile(99) / 1e6 - RESOLUTION_MS,
			busyP99Ms: percentile99(busy.stop()),
			echoes: echoes.length,
			echoP99Ms: percentile99(echoes),
			taken: world.consoles.map(({ manner, served }) => `${manner} ${served.backend.journal.end}`),
		};
		console.info(JSON.stringify(figures));
		// How late the loop is on a machine that does nothing else: by the time on a processor that it takes at a stretch.
		expect(figures.busyP99Ms).toBeLessThan(P99_MS);
		for (const { manner, served } of world.consoles)
			if (manner === "flood") expect(served.backend.journal.end).toBeGreaterThan(100_000);
	}, 60_000);
});

/** Processor time of this thread, in milliseconds, from each round of timers to the next. */
function watchBusyness(): { stop(): number[] } {
	const cpuMs = (): number => Number(readFileSync("/proc/thread-self/schedstat", "latin1").split(" ")[0]) / 1e6;
	const stretches: number[] = [];
	let last = cpuMs();
	const timer = setInterval(() => {
		const now = cpuMs();
		stretches.push(now - last);
		last = now;
	}, RESOLUTION_MS);
	return {
		stop: () => {
			clearInterval(timer);
			return stretches;
		},
	};
}

function percentile99(values: readonly number[]): number {
	return values.toSorted((one, other) => one - other)[Math.floor(values.length * 0.99)] ?? Number.POSITIVE_INFINITY;
}

interface ServedFrontend {
	guest: Uuid;
	manner: FrontendManner;
	served: ServedConsole;
}

/** One thread plays all guests, this one is the relay: they share the pages, and a flag for each event channel and way. */
class World {
	readonly consoles: ServedFrontend[] = [];
	readonly #framed = temporaryDirectory();

	static async start(manners: readonly FrontendManner[]): Promise<World> {
		const world = new World();
		const thread: FrontendThread = {
			manners: [...manners],
			pages: manners.map(() => new SharedArrayBuffer(4096)),
			toBackend: new Int32Array(new SharedArrayBuffer(4 * manners.length)),
			toFrontend: new Int32Array(new SharedArrayBuffer(4 * manners.length)),
		};
		const turns = new FairTurns();
		for (const [index, manner] of manners.entries()) {
			const directory = temporaryDirectory();
			const served = await ServedConsole.open({
				evtchns: channels(thread, index),
				grants: mapping(thread.pages[index]),
				devices: new FakeDevices(),
				domid: 1 as DomId,
				gref: 0 as GrantRef,
				remotePort: 1 as EvtchnPort,
				ringId: `ring-${index}`,
				journal: Journal.open({ directory, label: "pv" }),
				pty: false,
				socketPath: `${directory}/pv.sock`,
				schedule: turns.plan,
				onBroken: () => {},
			});
			world.consoles.push({ guest: randomUuid(), manner, served });
		}
		const socket = await openFramedSocket({
			path: world.#path,
			find: (guest) => world.consoles.find((each) => each.guest === guest)?.served,
		});
		const worker = new Worker(await bundledWorker("frontend-thread", world.#framed), { workerData: thread });
		onTestFinished(async () => {
			await worker.terminate();
			socket.destroy();
			for (const { served } of world.consoles) served.destroy();
		});
		await new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
		return world;
	}

	/** A client that takes whatever comes. */
	async read(guest: Uuid): Promise<ConsoleSession> {
		const session = await ConsoleSession.open({ socketPath: this.#path, guest, console: "pv" });
		session.on("data", () => {});
		session.on("error", () => {});
		onTestFinished(() => void session.destroy());
		return session;
	}

	get #path(): string {
		return `${this.#framed}/console.sock`;
	}
}

function mapping(page: SharedArrayBuffer | undefined): GrantMaps {
	return { map: () => ({ buffer: page as unknown as ArrayBuffer, unmap: () => {} }), close: () => {} };
}

/** As a port: events while one is pending are one, and a paused one keeps it. */
function channels({ toBackend, toFrontend }: FrontendThread, index: number): EventChannels {
	return {
		bindInterdomain: (_, port, onEvent) => {
			let isOpen = true;
			let isPaused = false;
			let isHeld = false;
			const listen = async (): Promise<void> => {
				while (isOpen) {
					const wait = atomics.waitAsync(toBackend, index, 0);
					if (wait.async) await wait.value;
					else await new Promise(setImmediate);
					if (!isOpen) return;
					if (isPaused) {
						isHeld = true;
						await new Promise<void>((resolve) => {
							resumed = resolve;
						});
						continue;
					}
					Atomics.store(toBackend, index, 0);
					onEvent();
				}
			};
			let resumed = (): void => {};
			void listen();
			return {
				port,
				notify: () => {
					Atomics.store(toFrontend, index, 1);
					Atomics.notify(toFrontend, 0);
				},
				pause: () => {
					isPaused = true;
				},
				resume: () => {
					const wasHeld = isHeld;
					isPaused = false;
					isHeld = false;
					if (wasHeld) Atomics.store(toBackend, index, 0);
					resumed();
					return wasHeld;
				},
				close: () => {
					isOpen = false;
					Atomics.notify(toBackend, index);
					resumed();
				},
			};
		},
		bindUnbound: () => {
			throw new Error("Not offered");
		},
		close: () => {},
	};
}
