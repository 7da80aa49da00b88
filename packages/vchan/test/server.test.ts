import { once } from "node:events";
import { DOM0, type DomId, ProtocolError, randomUuid } from "@bulkhead/base";
import { SimHost, type SimProcess } from "@bulkhead/hypervisor/sim";
import { afterEach, describe, expect, it } from "vitest";
import {
	LIVE,
	OFFSET,
	type OpenVchanServer,
	openVacantVchanClient,
	openVchanClient,
	openVchanServer,
	type VchanClient,
	type VchanServer,
	type VchanSession,
} from "../src/index.ts";

const MARKER = 1;

/** A server in one process of a simulated host, and clients in others. */
class World {
	readonly host: SimHost = new SimHost();
	readonly sessions: VchanSession[] = [];
	readonly said: string[] = [];
	readonly server: VchanServer;
	readonly #serving: SimProcess;

	constructor(options: Partial<OpenVchanServer> = {}) {
		this.#serving = this.host.startProcess("server");
		const { offers, rings } = this.#serving;
		this.server = openVchanServer({
			offers,
			evtchns: rings.evtchns,
			domid: DOM0,
			onSession: (session) => {
				const index = this.sessions.push(session) - 1;
				this.said.push("");
				session.on("error", () => {});
				session.on("data", (chunk) => {
					this.said[index] += chunk;
				});
			},
			...options,
		});
	}

	get latest(): VchanSession {
		const session = this.sessions.at(-1);
		if (!session) throw new Error("No session");
		return session;
	}

	startClient(name = "client"): SimProcess {
		return this.host.startProcess(name);
	}

	open({ rings: { grants, evtchns } }: SimProcess, reconnectMarker?: number): VchanClient {
		const { ringRef, port: remotePort } = this.server;
		return openVchanClient({ grants, evtchns, domid: this.#serving.domid, ringRef, remotePort, reconnectMarker });
	}

	openVacant({ rings: { grants, evtchns } }: SimProcess, timeoutMs: number): Promise<VchanClient> {
		const { ringRef, port: remotePort } = this.server;
		const place = { grants, evtchns, domid: this.#serving.domid, ringRef, remotePort };
		return openVacantVchanClient(place, { timeoutMs, what: "a clean channel" });
	}

	async close(): Promise<void> {
		await this.server.close();
		this.host.assertIdle();
	}
}

async function turns(count = 6): Promise<void> {
	for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

describe("VchanServer", () => {
	let world: World;
	afterEach(() => world.close());

	it("serves one client after the other over the same memory", async () => {
		world = new World();
		const process = world.startClient();
		for (let round = 0; round < 20; round++) {
			const client = world.open(process);
			await turns();
			world.latest.write(`greeting ${round}`);
			const [chunk] = await once(client, "data");
			expect(`${chunk}`).toBe(`greeting ${round}`);
			client.write(`question ${round}`);
			await turns();
			await client.close();
			await turns();
			expect(world.server.session).toBeUndefined();
		}
		expect(world.sessions).toHaveLength(20);
		expect(world.said).toEqual(Array.from({ length: 20 }, (_, round) => `question ${round}`));
		expect(world.host.heldCount).toBe(2);
	});

	it("notices a client that went and came back between two looks", async () => {
		world = new World();
		const process = world.startClient();
		const first = world.open(process);
		await turns();
		first.write("half a comm");
		await first.close();
		const second = world.open(process);
		await turns();
		expect(world.sessions).toHaveLength(2);
		expect(world.said).toEqual(["half a comm", ""]);
		world.latest.write("hello");
		expect(`${(await once(second, "data"))[0]}`).toBe("hello");
		await second.close();
	});

	it("lets a client that asks for a clean channel in once it has seen the one before go", async () => {
		world = new World();
		const process = world.startClient();
		const first = world.open(process);
		first.pause();
		await turns();
		world.latest.write("for the first");
		await turns();
		await first.close();
		const second = await world.openVacant(process, 5000);
		second.write("hello");
		await turns();
		expect(world.sessions).toHaveLength(2);
		expect(world.said).toEqual(["", "hello"]);
		world.latest.write("for the second");
		expect(`${(await once(second, "data"))[0]}`).toBe("for the second");
		await second.close();
		await turns();
	});

	it("does not show a new client what the old one left unread, if it saw that one go", async () => {
		world = new World();
		const process = world.startClient();
		const first = world.open(process);
		first.pause();
		await turns();
		world.latest.write("for the first");
		await turns();
		await first.close();
		await turns();
		const second = world.open(process);
		await turns();
		world.latest.write("for the second");
		expect(`${(await once(second, "data"))[0]}`).toBe("for the second");
		await second.close();
	});

	it("tells by a marker what is whose, however fast a client comes back", async () => {
		world = new World({ reconnectMarker: MARKER });
		const process = world.startClient();
		for (let round = 0; round < 50; round++) {
			const client = world.open(process, MARKER);
			client.write(`whole ${round}`);
			for (let pause = round % 4; pause > 0; pause--) await turns(1);
			if (round % 5 === 0) await turns();
			await client.close();
		}
		const last = world.open(process, MARKER);
		last.write("the last");
		await turns();
		expect(world.said.at(-1)).toBe("the last");
		for (const said of world.said) expect(said).toMatch(/^(whole \d+|the last)?$/);
		world.latest.write("hello");
		expect(`${(await once(last, "data"))[0]}`).toBe("hello");
		await last.close();
	});

	it("takes a marker in a session for another client, and begins with what follows it", async () => {
		world = new World({ reconnectMarker: MARKER });
		const client = world.open(world.startClient(), MARKER);
		client.write("one");
		await turns();
		client.write(Buffer.from("\u0001two"));
		await turns();
		expect(world.said).toEqual(["one", "two"]);
		await client.close();
	});

	it("lets nobody in after it ended a session, until that client has gone", async () => {
		world = new World();
		const process = world.startClient();
		const first = world.open(process);
		await turns();
		await world.latest.close();
		await once(first.resume(), "close");
		await turns();
		const second = world.open(process);
		await turns();
		expect(world.sessions).toHaveLength(2);
		expect(second.isPeerOpen).toBe(true);
		await second.close();
	});

	it("notices a client that is killed", async () => {
		world = new World();
		const process = world.startClient();
		world.open(process).write("x");
		await turns();
		process.end();
		await once(world.latest, "end");
		expect(world.server.session).toBeUndefined();
	});

	it("survives a client that plays with its counters, for the next one", async () => {
		world = new World();
		const process = world.startClient();
		const { grants, evtchns } = process.rings;
		const evtchn = evtchns.bindInterdomain(DOM0, world.server.port, () => {});
		const map = grants.map(DOM0, [world.server.ringRef], { writable: true });
		const view = new DataView(map.buffer);
		view.setUint8(OFFSET.clientLive, LIVE.connected);
		view.setUint32(OFFSET.leftProducer, 0xdead_beef, true);
		view.setUint32(OFFSET.rightConsumer, 0x1234_5678, true);
		evtchn.notify();
		await turns();
		expect(world.latest.errored).toBeInstanceOf(ProtocolError);
		view.setUint8(OFFSET.clientLive, LIVE.gone);
		evtchn.notify();
		evtchn.close();
		map.unmap();
		await turns();
		const client = world.open(process);
		await turns();
		world.latest.write("hello");
		expect(`${(await once(client, "data"))[0]}`).toBe("hello");
		await client.close();
	});
});

describe("a vchan between two domains that are not domain 0", () => {
	it("carries both ways over rings of many pages, and ends with the client's domain", async () => {
		const host = new SimHost();
		const { domains } = host.startProcess("toolstack").hypervisor;
		const make = (): Promise<DomId> => domains.create({ uuid: randomUuid(), type: "pv", maxVcpus: 1 });
		const [one, other] = [await make(), await make()];
		for (const domid of [one, other]) {
			await domains.setMaxVcpus(domid, 1);
			await domains.unpause(domid);
		}
		const [serving, using] = [host.startProcess("server", one), host.startProcess("client", other)];
		const size = 300_000;
		const bytes = Buffer.alloc(size, "0123456789abcdef!");
		let echoed!: VchanSession;
		const server = openVchanServer({
			offers: serving.offers,
			evtchns: serving.rings.evtchns,
			domid: other,
			leftOrder: 14,
			rightOrder: 13,
			onSession: (session) => {
				echoed = session;
				session.on("error", () => {});
				session.pipe(session);
			},
		});
		const { grants, evtchns } = using.rings;
		const client = openVchanClient({ grants, evtchns, domid: one, ringRef: server.ringRef, remotePort: server.port });
		client.write(bytes);
		const chunks: Buffer[] = [];
		for await (const chunk of client.iterator({ destroyOnReturn: false })) {
			chunks.push(chunk as Buffer);
			if (chunks.reduce((sum, { length }) => sum + length, 0) >= size) break;
		}
		expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
		host.destroy(other);
		client.on("error", () => {});
		client.destroy();
		await once(echoed, "close");
		await server.close();
		host.destroy(one);
		host.assertIdle();
	});
});
