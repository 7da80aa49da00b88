import { BulkheadError } from "@bulkhead/base";
import {
	clientCount,
	describeStep,
	domidOf,
	encodePayload,
	HISTORY_ROOT,
	type HistoryShape,
	type Step,
} from "./history.ts";
import { firstNodes, Model } from "./model.ts";
import type { Answer, WatchEvent, WireClient } from "./wire-client.ts";

/** Opens a connection of the given domain: 0 several times, others once each. */
export type ConnectAs = (domid: number) => Promise<WireClient>;

/** An id that no transaction has. */
const NO_TRANSACTION = 0x7fff_fff0;
const DIFFERS = "xenstore-history-differs";

/**
 * Lets a server and the model live through the same history, and compares every answer and every event, step by step,
 * and the tree at the end. What the history makes is removed before and after.
 * @throws BulkheadError `xenstore-history-differs`, with the steps up to the first difference
 */
export async function runHistory(shape: HistoryShape, steps: readonly Step[], connect: ConnectAs): Promise<void> {
	const clients: WireClient[] = [];
	try {
		for (let index = 0; index < clientCount(shape); index++) clients.push(await connect(domidOf(shape, index)));
		const [dom0] = clients;
		if (!dom0) throw new RangeError("A history needs a client of domain 0");
		await prepare(dom0, shape);
		await new Run(shape, clients, dom0).all(steps);
		await cleanUp(dom0, shape);
	} finally {
		for (const client of clients) client.close();
	}
}

async function prepare(dom0: WireClient, shape: HistoryShape): Promise<void> {
	await cleanUp(dom0, shape);
	for (const { path, permissions } of firstNodes(shape)) {
		await dom0.ask("MKDIR", `${path}\0`);
		await dom0.ask("SET_PERMS", [path, ...permissions, ""].join("\0"));
	}
}

async function cleanUp(dom0: WireClient, shape: HistoryShape): Promise<void> {
	for (const { path } of firstNodes(shape)) await dom0.ask("RM", `${path}\0`);
}

class Run {
	readonly #clients: readonly WireClient[];
	readonly #dom0: WireClient;
	readonly #model: Model;
	/** Ids of open transactions: for each client by slot. */
	readonly #ids: Map<number, number>[];

	constructor(shape: HistoryShape, clients: readonly WireClient[], dom0: WireClient) {
		this.#clients = clients;
		this.#dom0 = dom0;
		this.#model = new Model(shape, clients.length);
		this.#ids = clients.map(() => new Map());
	}

	async all(steps: readonly Step[]): Promise<void> {
		for (const [index, step] of steps.entries()) {
			try {
				await this.#one(step);
			} catch (cause) {
				const story = steps
					.slice(0, index + 1)
					.map(describeStep)
					.join("\n");
				throw new BulkheadError(DIFFERS, `Step ${index} differs: ${describeStep(step)}\n${story}`, { cause });
			}
		}
		await this.#compareTrees();
	}

	async #one(step: Step): Promise<void> {
		const ids = this.#ids[step.client] as Map<number, number>;
		const id = step.slot === 0 ? 0 : (ids.get(step.slot) ?? NO_TRANSACTION);
		const expected = this.#model.answer(step);
		const got = await (this.#clients[step.client] as WireClient).ask(step.operation, encodePayload(step), id);
		if (expected === undefined) this.#remember(ids, step.client, got);
		else demandEqual("The answer", expected, comparable(step, got));
		for (const slot of ids.keys()) if (!this.#model.isOpen(step.client, slot)) ids.delete(slot);
		const seen = await Promise.all(this.#clients.map((client) => client.settle()));
		for (const [index, events] of this.#model.events.entries())
			demandEqual(`What client ${index} hears of`, sorted(events.splice(0)), sorted(seen[index] ?? []));
	}

	/** A transaction has begun, in the slot that the model has given it. */
	#remember(ids: Map<number, number>, client: number, got: Answer): void {
		const id = "payload" in got ? Number.parseInt(got.payload, 10) : 0;
		if (!(id > 0)) demandEqual("The answer", { payload: "an id" }, got);
		let slot = 1;
		while (ids.has(slot) || !this.#model.isOpen(client, slot)) slot++;
		ids.set(slot, id);
	}

	async #compareTrees(): Promise<void> {
		const { contents } = this.#model;
		for (const [path, value] of contents)
			demandEqual(`The value of ${path}`, { payload: value }, await this.#dom0.ask("READ", `${path}\0`));
		const roots = [...contents.keys()].filter((path) => path.endsWith(`/${HISTORY_ROOT}`));
		let count = 0;
		for (const root of roots) count += await this.#countBelow(root);
		demandEqual("The number of nodes", contents.size, count);
	}

	async #countBelow(path: string): Promise<number> {
		const answer = await this.#dom0.ask("DIRECTORY", `${path}\0`);
		const names = "payload" in answer ? answer.payload.split("\0").slice(0, -1) : [];
		let count = 1;
		for (const name of names) count += await this.#countBelow(`${path}/${name}`);
		return count;
	}
}

/** The generation in front of a part of a directory is the server's own. */
function comparable({ operation }: Step, answer: Answer): Answer {
	if (operation !== "DIRECTORY_PART" || "errno" in answer) return answer;
	return { payload: answer.payload.slice(answer.payload.indexOf("\0") + 1) };
}

function sorted(events: readonly WatchEvent[]): string[] {
	return events.map(({ path, token }) => `${path} ${token}`).sort();
}

function demandEqual(what: string, expected: unknown, got: unknown): void {
	const [wanted, seen] = [JSON.stringify(expected), JSON.stringify(got)];
	if (wanted !== seen) throw new BulkheadError(DIFFERS, `${what} should be ${wanted} and is ${seen}`);
}
