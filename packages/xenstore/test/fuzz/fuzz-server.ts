import { domId } from "@bulkhead/base";
import { seededNumbers, WireClient } from "../../src/contract/histories/index.ts";
import { XenstoreServer } from "../../src/server/index.ts";
import { encodeMessage } from "../../src/wire/index.ts";
import { FuzzClient } from "./fuzz-client.ts";
import { fuzzCodec } from "./fuzz-codec.ts";
import { type Choose, makeFrame, oversizedHeader } from "./make-frames.ts";

export interface FuzzOptions {
	/** Messages, at least. */
	cases: number;
	seed: number;
	onProgress?: (done: number) => void;
}

export interface FuzzReport {
	cases: number;
	seconds: number;
	/** Of the process, as high as it has been. */
	peakRssBytes: number;
	/** Slowest answer to the client that behaves, while the others do not. */
	slowestWitnessMs: number;
	connections: number;
}

/** Messages after which a server is closed, and what it held checked. */
const CASES_PER_SERVER = 50_000;
const DOMIDS = [domId(1), domId(2)];
const FLOOD = 2000;
const WITNESS = "/witness/value";

/**
 * Throws random and mutated messages, too long ones, halves and floods at parsers and servers. After each blow another
 * client must be served as if nothing were. @throws Error with the seed at the first thing that is wrong
 */
export async function fuzz({ cases, seed, onProgress }: FuzzOptions): Promise<FuzzReport> {
	const next = seededNumbers(seed);
	const choose: Choose = (below) => next() % below;
	const report: FuzzReport = { cases: 0, seconds: 0, peakRssBytes: 0, slowestWitnessMs: 0, connections: 0 };
	const began = performance.now();
	while (report.cases < cases) {
		const wanted = Math.min(cases, report.cases + CASES_PER_SERVER);
		try {
			await new FuzzedServer(choose, report).takeUntil(wanted);
		} catch (cause) {
			throw new Error(`Fuzzing with seed ${seed} failed after ${report.cases} cases`, { cause });
		}
		onProgress?.(report.cases);
	}
	report.seconds = (performance.now() - began) / 1000;
	report.peakRssBytes = process.resourceUsage().maxRSS * 1024;
	return report;
}

class FuzzedServer {
	readonly #choose: Choose;
	readonly #report: FuzzReport;
	readonly #server = new XenstoreServer({ domainExists: (domid) => domid < 4 });
	readonly #witness = new WireClient(this.#server.connectClient());
	/** By what they are: a client of domain 0, then the domains'. */
	readonly #clients: (FuzzClient | undefined)[] = DOMIDS.map(() => undefined);
	#lastId = 0;

	constructor(choose: Choose, report: FuzzReport) {
		this.#choose = choose;
		this.#report = report;
	}

	async takeUntil(cases: number): Promise<void> {
		this.#server.host.write("/f", "", [{ domid: domId(0), access: "both" }]);
		await this.#witness.ask("WRITE", `${WITNESS}\0${this.#report.cases}`);
		const expected = `${this.#report.cases}`;
		while (this.#report.cases < cases) {
			this.#report.cases += await this.#blow();
			await this.#checkWitness(expected);
		}
		for (const client of this.#clients) client?.stream.destroy();
		for (const domid of DOMIDS) this.#server.domainGone(domid);
		this.#server.domainGone(domId(3));
		this.#witness.close();
		await this.#server.close();
		this.#server.assertIdle();
	}

	/** How many messages it was. */
	async #blow(): Promise<number> {
		const kind = this.#choose(20);
		if (kind < 4) return fuzzCodec(this.#choose);
		const client = this.#client(this.#choose(DOMIDS.length + 1));
		if (kind === 4) return this.#oversized(client);
		if (kind === 5) return this.#half(client);
		if (kind === 6 && this.#choose(4) === 0) return this.#flood(client);
		const frames = Array.from({ length: 1 + this.#choose(64) }, () => makeFrame(this.#choose, ++this.#lastId));
		client.send(frames);
		await client.answered();
		return frames.length;
	}

	/** A socket is cut off; a domain is not heard any more, and has to come back as another. */
	async #oversized(client: FuzzClient): Promise<number> {
		client.stream.write(oversizedHeader(this.#choose));
		if (client.isUnprivileged) this.#drop(client);
		else await client.ended();
		return 1;
	}

	#half(client: FuzzClient): number {
		const whole = encodeMessage(makeFrame(this.#choose, ++this.#lastId));
		client.stream.write(whole.subarray(0, this.#choose(whole.length)));
		this.#drop(client);
		return 1;
	}

	/** Read only when the client that behaves has been served. */
	async #flood(client: FuzzClient): Promise<number> {
		client.stream.pause();
		client.send(Array.from({ length: FLOOD }, () => makeFrame(this.#choose, ++this.#lastId)));
		for (let times = 0; times < 5; times++) await this.#timeWitness();
		client.stream.resume();
		await client.answered();
		return FLOOD;
	}

	#drop(client: FuzzClient): void {
		client.stream.destroy();
		const domid = DOMIDS[this.#clients.indexOf(client) - 1];
		if (domid !== undefined) this.#server.domainGone(domid);
	}

	#client(index: number): FuzzClient {
		const known = this.#clients[index];
		if (known && !known.isClosed) return known;
		const domid = DOMIDS[index - 1];
		if (domid !== undefined) {
			this.#server.introduceDomain(domid);
			this.#server.host.write(`/local/domain/${domid}`, "", [{ domid, access: "none" }]);
		}
		const stream = domid === undefined ? this.#server.connectClient() : this.#server.connectDomain(domid);
		const client = new FuzzClient(stream, domid !== undefined);
		this.#clients[index] = client;
		this.#report.connections++;
		return client;
	}

	async #checkWitness(expected: string): Promise<void> {
		const answer = await this.#timeWitness();
		if (!("payload" in answer) || answer.payload !== expected)
			throw new Error(`The client that behaves read ${JSON.stringify(answer)} instead of ${expected}`);
	}

	async #timeWitness(): Promise<Awaited<ReturnType<WireClient["ask"]>>> {
		const asked = performance.now();
		const answer = await this.#witness.ask("READ", `${WITNESS}\0`);
		this.#report.slowestWitnessMs = Math.max(this.#report.slowestWitnessMs, performance.now() - asked);
		return answer;
	}
}
