import { createInterface } from "node:readline";
import type { DomId } from "@bulkhead/base";
import { openHypervisor } from "@bulkhead/hypervisor/native";
import { XenstoreClient } from "@bulkhead/xenstore";
import { attemptCreate, attemptDestroy, runToEnd } from "./attempts.ts";
import type { Answer, CreateTimes, DestroyTimes, Order, RunTimes } from "./protocol.ts";
import { awaitGone, type Dom0, listDomids, watchCreate } from "./watch-create.ts";

/** The observer: runs in dom0, so that no time of the way there is measured. Orders on stdin, answers on stdout. */
const hypervisor = openHypervisor();
const dom0: Dom0 = { domains: hypervisor.domains, xenstore: await XenstoreClient.connect() };
/** The domains of the last create. */
let created: DomId[] = [];

async function create({ name, by }: Extract<Order, { do: "create" }>): Promise<CreateTimes> {
	created = [];
	const before = await listDomids(dom0);
	const began = performance.now();
	const steps: CreateTimes["steps"] = [];
	const stop = new AbortController();
	const watched = watchCreate(dom0, { name, known: before, sinceMs: began, signal: stop.signal });
	watched.catch(() => {});
	try {
		await attemptCreate(by, ({ step, title, state, ms }) => {
			if (state === "done") steps.push({ step, title, ms, startedMs: performance.now() - began - ms });
		});
		const returnedMs = performance.now() - began;
		const { guest, stub, ...marks } = await watched;
		created = [guest, stub];
		return { guestDomid: guest, stubDomid: stub, ...marks, returnedMs, steps };
	} finally {
		stop.abort();
	}
}

async function destroy({ by }: Extract<Order, { do: "destroy" }>): Promise<DestroyTimes> {
	const began = performance.now();
	const since = (): number => performance.now() - began;
	const stop = new AbortController();
	const gone = awaitGone(dom0, created, stop.signal).then(since);
	gone.catch(() => {});
	try {
		const returnedMs = await attemptDestroy(by).then(since);
		return { returnedMs, goneMs: await gone };
	} finally {
		stop.abort();
	}
}

async function run({ argv }: Extract<Order, { do: "run" }>): Promise<RunTimes> {
	const began = performance.now();
	await runToEnd(argv);
	return { returnedMs: performance.now() - began };
}

function carryOut(order: Order): Promise<unknown> {
	if (order.do === "create") return create(order);
	return order.do === "destroy" ? destroy(order) : run(order);
}

function answer(value: Answer): void {
	process.stdout.write(`${JSON.stringify(value)}\n`);
}

const orders = createInterface({ input: process.stdin });
// Nobody is left to answer: not even a wait that goes on keeps this program.
process.stdin.once("end", () => process.exit());
answer({ ok: true, result: "ready" });
for await (const line of orders) {
	try {
		answer({ ok: true, result: await carryOut(JSON.parse(line) as Order) });
	} catch (error) {
		answer({ ok: false, error: error instanceof Error ? error.message : String(error) });
	}
}
