import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RelayClient } from "@bulkhead/api/relay";
import { DOM0, randomUuid } from "@bulkhead/base";
import { SimHost, type SimProcess } from "@bulkhead/hypervisor/sim";
import { QmpClient } from "@bulkhead/qmp";
import { FakeQemu } from "@bulkhead/qmp/testing";
import { openVchanClient, openVchanServer, type VchanServer } from "@bulkhead/vchan";
import { expect, test } from "vitest";
import { dialQmp } from "../src/qmp/dial-qmp.ts";
import { DEFAULT_QMP_POLICY } from "../src/qmp/qmp-policy.ts";
import { Relay } from "../src/relay.ts";

const RECONNECTS = 10_000;
const CLIENTS = 16;

function serveQemu(process: SimProcess, options: { reconnectMarker?: number } = {}): VchanServer {
	return openVchanServer({
		offers: process.offers,
		evtchns: process.rings.evtchns,
		domid: DOM0,
		onSession: (session) => {
			session.on("error", () => {});
			new FakeQemu(session);
		},
		...options,
	});
}

test.each([undefined, 1])(
	"a vchan is left and entered ten thousand times, at once, and greets each time (marker %s)",
	async (reconnectMarker) => {
		const host = new SimHost();
		const stub = host.startProcess("stub");
		const server = serveQemu(stub, { reconnectMarker });
		const { grants, evtchns } = host.startProcess("client").rings;
		const before = host.heldCount;
		const started = performance.now();
		let failures = 0;
		for (let round = 0; round < RECONNECTS; round++) {
			const { ringRef, port: remotePort } = server;
			const stream = openVchanClient({ grants, evtchns, domid: DOM0, ringRef, remotePort, reconnectMarker });
			try {
				const qmp = await QmpClient.open(stream, { greetingTimeoutMs: 5000 });
				await qmp.execute("query-status", undefined, { timeoutMs: 5000 });
				// Every other one leaves in the middle of a command.
				if (round % 2 === 0) qmp.execute("query-block").catch(() => {});
				qmp.close();
			} catch {
				failures++;
			}
		}
		const seconds = (performance.now() - started) / 1000;
		console.info({ reconnects: RECONNECTS, failures, seconds: Math.round(seconds), held: host.heldCount - before });
		expect(failures).toBe(0);
		expect(host.heldCount).toBe(before);
		await server.close();
		host.assertIdle();
	},
);

test("sixteen clients at once connect ten thousand times to a guest's QMP socket", async () => {
	const host = new SimHost();
	const server = serveQemu(host.startProcess("stub"));
	const directory = mkdtempSync(join(tmpdir(), "bhr-"));
	const run = join(directory, "run");
	const relayProcess = host.startProcess("relay");
	const log = { info: () => {}, warn: () => {}, error: () => {} };
	const relay = await Relay.start({
		host: relayProcess.rings,
		dialQmp: dialQmp(relayProcess.rings),
		runDirectory: run,
		stateDirectory: join(directory, "state"),
		bootId: "boot",
		log,
		// The kernel closes a socket a little after its client has: a place is free again a turn later.
		qmpPolicy: { ...DEFAULT_QMP_POLICY, clients: 2 * CLIENTS },
	});
	const control = await RelayClient.connect({ path: join(run, "control.sock"), timeoutMs: 5000 });
	const guest = randomUuid();
	const place = { domid: DOM0, ringRef: server.ringRef, remotePort: server.port };
	await control.request("attach-qmp", { guest, ...place, greetingTimeoutMs: 5000 }, { timeoutMs: 10_000 });
	const path = join(run, "guests", guest, "qmp", "reader.sock");
	const descriptors = (): number => readdirSync("/proc/self/fd").length;
	const before = { descriptors: descriptors(), held: host.heldCount };
	const started = performance.now();
	let failures = 0;
	let left = RECONNECTS;
	const visit = async (): Promise<void> => {
		while (left-- > 0) {
			try {
				const qmp = await QmpClient.open(connect({ path }), { greetingTimeoutMs: 10_000 });
				const answer = await qmp.execute("query-status", undefined, { timeoutMs: 10_000 });
				if (!(answer as { running?: boolean }).running) failures++;
				qmp.close();
			} catch {
				failures++;
			}
		}
	};
	await Promise.all(Array.from({ length: CLIENTS }, visit));
	const seconds = (performance.now() - started) / 1000;
	let clients = CLIENTS;
	while (clients > 0) clients = (await control.request("list", {}, { timeoutMs: 1000 })).qmps[0]?.clients ?? 0;
	const leaked = { descriptors: descriptors() - before.descriptors, held: host.heldCount - before.held };
	console.info({ connections: RECONNECTS, clients: CLIENTS, failures, seconds: Math.round(seconds), ...leaked });
	expect(failures).toBe(0);
	expect(leaked).toEqual({ descriptors: 0, held: 0 });
	control.close();
	relay.stop();
	relayProcess.end();
	await server.close();
	rmSync(directory, { recursive: true, force: true });
	host.assertIdle();
});
