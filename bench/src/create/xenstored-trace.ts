/** How many requests xenstored took, by who asked. */
export interface RequestCounts {
	/** The toolstack: its daemon, or its program and every program that it started. */
	toolstack: number;
	/** Guest and stub domain. */
	domains: number;
	/** Whoever was connected before and built no domain: dom0's kernel, xenconsoled. */
	host: number;
	/** The toolstack's own by operation. */
	operations: Record<string, number>;
	/** Connections that the toolstack made. */
	connections: number;
}

interface Connection {
	kind: "toolstack" | "domain" | "host";
	isNew: boolean;
	/** Its requests, with the part of the trace that each belongs to. */
	requests: { part: number; operation: string }[];
}

const CONNECTION = /^(CREATE|DESTROY) connection (0x[0-9a-f]+)/;
const MESSAGE = /^(IN|OUT) (0x[0-9a-f]+) \d+ [\d:]+ (\w+) \((.*)/;

/**
 * Reads what xenstored 4.17 writes when asked for a trace: `IN <connection> <time> <operation> (<payload>)`, and
 * `CREATE connection <connection>`. A connection created while an INTRODUCE is carried out is a domain's; whoever asks
 * for an INTRODUCE, and every other new connection, is the toolstack. The trace is cut where somebody reads `marker`.
 */
export function readTrace(trace: string, marker: string): RequestCounts[] {
	const reader = new TraceReader(marker);
	for (const line of trace.split("\n")) reader.read(line);
	return reader.counts();
}

class TraceReader {
	readonly #marker: string;
	readonly #live = new Map<string, Connection>();
	readonly #all: Connection[] = [];
	#part = 0;
	#introducing: string | undefined;

	constructor(marker: string) {
		this.#marker = marker;
	}

	read(line: string): void {
		const [, event, connection] = CONNECTION.exec(line) ?? [];
		if (connection !== undefined) {
			if (event === "DESTROY") this.#live.delete(connection);
			else this.#add(connection, this.#introducing === undefined ? "toolstack" : "domain", true);
			return;
		}
		const [, direction, id, operation, payload] = MESSAGE.exec(line) ?? [];
		if (id === undefined || operation === undefined || payload === undefined) return;
		if (direction === "IN") this.#readRequest(id, operation, payload);
		else if (operation === "INTRODUCE" && id === this.#introducing) this.#introducing = undefined;
	}

	counts(): RequestCounts[] {
		return Array.from({ length: this.#part + 1 }, (_, part) => countPart(this.#all, part));
	}

	#readRequest(id: string, operation: string, payload: string): void {
		const connection = this.#live.get(id) ?? this.#add(id, "host", false);
		if (payload.startsWith(this.#marker)) {
			this.#part++;
			connection.kind = "host";
			return;
		}
		if (operation === "INTRODUCE") {
			this.#introducing = id;
			connection.kind = "toolstack";
		}
		if (operation !== "CONTROL") connection.requests.push({ part: this.#part, operation });
	}

	#add(id: string, kind: Connection["kind"], isNew: boolean): Connection {
		const connection: Connection = { kind, isNew, requests: [] };
		this.#live.set(id, connection);
		this.#all.push(connection);
		return connection;
	}
}

function countPart(all: readonly Connection[], part: number): RequestCounts {
	const counts: RequestCounts = { toolstack: 0, domains: 0, host: 0, operations: {}, connections: 0 };
	for (const { kind, isNew, requests } of all) {
		const asked = requests.filter((request) => request.part === part);
		if (kind === "domain") counts.domains += asked.length;
		else if (kind === "host") counts.host += asked.length;
		else {
			counts.toolstack += asked.length;
			if (isNew && asked.length > 0) counts.connections++;
			for (const { operation } of asked) counts.operations[operation] = (counts.operations[operation] ?? 0) + 1;
		}
	}
	return counts;
}
