import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RelayClient } from "@bulkhead/api/relay";
import { BulkheadError, DOM0, delay, randomUuid, type Uuid } from "@bulkhead/base";
import { SimHost, type SimProcess } from "@bulkhead/hypervisor/sim";
import { openVchanServer } from "@bulkhead/vchan";
import { describe, expect, it, onTestFinished } from "vitest";
import { dialQmp } from "../src/qmp/dial-qmp.ts";
import { Relay } from "../src/relay.ts";
import type { RelayLog } from "../src/relay-log.ts";
import { AT_ANSWER, AT_GREETING, type Malice, playQemu, say } from "./malice.ts";

const GREETING_MS = 400;
const COMMAND_MS = 400;
/** What ends by a deadline ends this much later at most. */
const SLACK_MS = 1500;
const MOST_GROWTH_BYTES = 64 * 1024 * 1024;

/** A relay on a simulated host, and QEMUs in processes that play stub domains, over real vchans. */
class World {
	readonly host: SimHost = new SimHost();
	readonly logged: string[] = [];
	client!: RelayClient;
	readonly #directory = mkdtempSync(join(tmpdir(), "bhm-"));
	readonly #relayProcess: SimProcess = this.host.startProcess("relay");

	static async start(): Promise<World> {
		const world = new World();
		const relay = await world.#serve();
		onTestFinished(() => {
			world.client.close();
			relay.stop();
			world.#relayProcess.end();
			rmSync(world.#directory, { recursive: true, force: true });
			world.host.assertIdle();
		});
		return world;
	}

	async #serve(): Promise<Relay> {
		const note = (context: object, message: string): void => {
			this.logged.push(`${message} ${JSON.stringify(context)}`);
		};
		const log: RelayLog = { info: note, warn: note, error: note };
		const run = join(this.#directory, "run");
		const { rings } = this.#relayProcess;
		const relay = await Relay.start({
			host: rings,
			dialQmp: dialQmp(rings),
			runDirectory: run,
			stateDirectory: join(this.#directory, "state"),
			bootId: "boot",
			log,
		});
		this.client = await RelayClient.connect({ path: join(run, "control.sock"), timeoutMs: 5000 });
		return relay;
	}

	/** A QEMU; answers how it is attached. */
	startQemu(malice: Malice): { guest: Uuid; attach: () => Promise<unknown> } {
		const process = this.host.startProcess("stub");
		const server = openVchanServer({
			offers: process.offers,
			evtchns: process.rings.evtchns,
			domid: DOM0,
			onSession: (session) => playQemu(session, malice),
		});
		onTestFinished(() => process.end());
		const guest = randomUuid();
		const place = { domid: process.domid, ringRef: server.ringRef, remotePort: server.port };
		return {
			guest,
			attach: () =>
				this.client.request("attach-qmp", { guest, ...place, greetingTimeoutMs: GREETING_MS }, { timeoutMs: 30_000 }),
		};
	}

	ask(guest: Uuid, command: string): Promise<unknown> {
		return this.client.request("qmp-execute", { guest, command, timeoutMs: COMMAND_MS }, { timeoutMs: 30_000 });
	}
}

/** Answers query-status, without which nothing is attached, and leaves the rest to malice. */
function withStatus(answer: NonNullable<Malice["answer"]>): Malice {
	return {
		answer: (stream, command) => {
			if (command.execute === "query-status")
				say(stream, { return: { running: true, status: "running" }, id: command.id });
			else answer(stream, command);
		},
	};
}

/** The error, which must come in time, while a neighbour's QEMU answers and memory stays. */
async function failsAlone(
	world: World,
	neighbour: Uuid,
	operate: () => Promise<unknown>,
	limitMs: number,
): Promise<BulkheadError> {
	const before = process.memoryUsage().rss;
	const started = performance.now();
	let isOver = false;
	const failed = operate().then(
		() => undefined,
		(error: unknown) => error,
	);
	void failed.then(() => {
		isOver = true;
	});
	let slowestMs = 0;
	while (!isOver) {
		const asked = performance.now();
		await world.ask(neighbour, "query-name");
		slowestMs = Math.max(slowestMs, performance.now() - asked);
		await delay(10);
	}
	const error = await failed;
	expect(error).toBeInstanceOf(BulkheadError);
	expect(performance.now() - started).toBeLessThan(limitMs + SLACK_MS);
	expect(slowestMs).toBeLessThan(COMMAND_MS);
	expect(process.memoryUsage().rss - before).toBeLessThan(MOST_GROWTH_BYTES);
	return error as BulkheadError;
}

const NEIGHBOURLY: Malice = withStatus((stream, { id }) => say(stream, { return: { name: "web" }, id }));

describe("a QEMU in wrong hands", () => {
	it.each(Object.entries(AT_GREETING))("that %s is given up at the deadline", async (_, greet) => {
		const world = await World.start();
		const neighbour = world.startQemu(NEIGHBOURLY);
		await neighbour.attach();
		const qemu = world.startQemu({ greet });
		const error = await failsAlone(world, neighbour.guest, qemu.attach, GREETING_MS);
		expect(["deadline-exceeded", "qmp-connection-lost", "protocol-error"]).toContain(error.code);
		expect(error.message).toMatch(/^[\x20-\x7e]+$/);
		expect(world.logged.join("\n")).toMatch(/^[\n\x20-\x7e]*$/);
	});

	it.each(Object.entries(AT_ANSWER))("that %s ends one command", async (_, { code, answer }) => {
		const world = await World.start();
		const neighbour = world.startQemu(NEIGHBOURLY);
		await neighbour.attach();
		const qemu = world.startQemu(withStatus(answer));
		await qemu.attach();
		const error = await failsAlone(world, neighbour.guest, () => world.ask(qemu.guest, "query-block"), COMMAND_MS);
		expect(error.code).toBe(code);
		expect(JSON.stringify([error.message, error.remedy, error.fields])).toMatch(/^[\x20-\x7e]+$/);
		expect(world.logged.join("\n")).toMatch(/^[\n\x20-\x7e]*$/);
		// The next one is no worse.
		await failsAlone(world, neighbour.guest, () => world.ask(qemu.guest, "query-block"), COMMAND_MS);
	});

	it("that plays with its ring's counters loses its session only", async () => {
		const world = await World.start();
		const neighbour = world.startQemu(NEIGHBOURLY);
		await neighbour.attach();
		let page: Uint32Array | undefined;
		const process = world.host.startProcess("stub");
		const server = openVchanServer({
			offers: {
				offer: (...args) => {
					const pages = process.offers.offer(...args);
					page ??= new Uint32Array(pages.buffer, 0, 6);
					return pages;
				},
				close: () => {},
			},
			evtchns: process.rings.evtchns,
			domid: DOM0,
			onSession: (session) =>
				playQemu(
					session,
					withStatus(() => {
						session.write("x");
						// The producer of the ring that the relay reads.
						if (page) page[3] = 0xdead_beef;
					}),
				),
		});
		onTestFinished(() => process.end());
		const guest = randomUuid();
		const place = { domid: DOM0, ringRef: server.ringRef, remotePort: server.port };
		await world.client.request("attach-qmp", { guest, ...place, greetingTimeoutMs: 1000 }, { timeoutMs: 5000 });
		const error = await failsAlone(world, neighbour.guest, () => world.ask(guest, "query-block"), COMMAND_MS);
		expect(error.code).toBe("qmp-connection-lost");
	});
});
