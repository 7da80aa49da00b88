import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withDeadline } from "@bulkhead/base";

export interface ServerMemory {
	rssBytes: number;
	heapBytes: number;
}

const TIMEOUT_MS = 30_000;

/** The in-memory xenstored in another process, so that its clients' time and memory are not taken for its own. */
export class ServerProcess implements AsyncDisposable {
	/** Of its socket. */
	readonly path: string;
	readonly #directory: string;
	readonly #child: ChildProcess;

	static async start(): Promise<ServerProcess> {
		const directory = await mkdtemp(join(tmpdir(), "xenstore-server-bench-"));
		const path = join(directory, "socket");
		const child = fork(join(import.meta.dirname, "server-main.ts"), [path], {
			execArgv: [...process.execArgv, "--expose-gc"],
		});
		const server = new ServerProcess(directory, path, child);
		try {
			await server.#nextMessage("the server's start");
			return server;
		} catch (error) {
			await server[Symbol.asyncDispose]();
			throw error;
		}
	}

	private constructor(directory: string, path: string, child: ChildProcess) {
		this.#directory = directory;
		this.path = path;
		this.#child = child;
	}

	/** After a collection of garbage. */
	async memory(): Promise<ServerMemory> {
		const answer = this.#nextMessage("the server's memory");
		this.#child.send("memory");
		return (await answer) as ServerMemory;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#child.kill("SIGKILL");
		await rm(this.#directory, { recursive: true, force: true });
	}

	async #nextMessage(what: string): Promise<unknown> {
		const [message] = (await withDeadline(once(this.#child, "message"), { timeoutMs: TIMEOUT_MS, what })) as [unknown];
		return message;
	}
}
