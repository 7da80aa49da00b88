import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface SeenRequest {
	method: string;
	/** Path and query, without the prefix. */
	path: string;
	body: unknown;
	headers: IncomingMessage["headers"];
}

/** A live answer: writes lines until the test ends it. */
export type Handler = (request: SeenRequest, response: ServerResponse) => void;

/** An HTTP server on a unix socket that answers from a table: "GET /host" → what to do. */
export class FakeDaemon implements AsyncDisposable {
	readonly socketPath: string;
	readonly seen: SeenRequest[] = [];
	readonly #directory: string;
	readonly #server: Server;
	readonly #routes = new Map<string, Handler>();

	static async open(): Promise<FakeDaemon> {
		const directory = await mkdtemp(join(tmpdir(), "bulkhead-cli-"));
		const daemon = new FakeDaemon(directory);
		await new Promise<void>((resolve) => daemon.#server.listen(daemon.socketPath, resolve));
		return daemon;
	}

	private constructor(directory: string) {
		this.#directory = directory;
		this.socketPath = join(directory, "d.sock");
		this.#server = createServer((request, response) => void this.#serve(request, response));
	}

	on(route: string, handler: Handler): void {
		this.#routes.set(route, handler);
	}

	json(route: string, value: unknown, status = 200): void {
		this.on(route, (_, response) => {
			response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
		});
	}

	lines(route: string, ...lines: object[]): void {
		this.on(route, (_, response) => {
			response.writeHead(200, { "content-type": "application/x-ndjson" });
			response.end(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
		});
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#server.closeAllConnections();
		await new Promise((resolve) => this.#server.close(resolve));
		await rm(this.#directory, { recursive: true });
	}

	async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const parts: Buffer[] = [];
		for await (const part of request) parts.push(part);
		const text = Buffer.concat(parts).toString();
		const path = (request.url ?? "").replace(/^\/v1/, "");
		const method = request.method ?? "";
		const seen = { method, path, body: text === "" ? undefined : JSON.parse(text), headers: request.headers };
		this.seen.push(seen);
		const handler =
			this.#routes.get(`${method} ${path}`) ?? this.#routes.get(`${method} ${path.replace(/[^/]+$/, "*")}`);
		if (handler) handler(seen, response);
		else
			response.writeHead(404).end(JSON.stringify({ code: "no-such-route", message: `There is no ${method} ${path}` }));
	}
}
