import type { Duplex } from "node:stream";
import { LineSplitter } from "../wire/line-splitter.ts";

/** An error answer: thrown by a handler. */
export class FakeRefusal extends Error {
	readonly errorClass: string;

	constructor(errorClass: string, desc: string) {
		super(desc);
		this.errorClass = errorClass;
	}
}

type Handler = (args: Record<string, unknown>, qemu: FakeQemu) => unknown;

export interface FakeQemuOptions {
	/** False: says nothing at first, as after a lost greeting. */
	greets?: boolean;
	/** Default: `oob`. */
	capabilities?: readonly string[];
	version?: { major: number; minor: number; micro: number };
	/** Added to or replacing the ones it has. May be asynchronous; a promise that never settles is never answered. */
	handlers?: Record<string, Handler>;
}

interface Command {
	/** Of a command out of band, too. */
	execute: string;
	arguments?: Record<string, unknown>;
	id?: unknown;
}

const LONGEST_COMMAND = 1024 * 1024;

/**
 * QEMU's side of a QMP session, following a script. Strict as QEMU is: no command before the negotiation, unknown ones
 * refused. Its guest is running or paused, and says so by events.
 */
export class FakeQemu {
	/** Every command received, in order, negotiation included. */
	readonly received: Command[] = [];
	running: boolean;
	/** Commands that came out of band. */
	outOfBand = 0;
	readonly #stream: Duplex;
	readonly #handlers: Map<string, Handler>;
	readonly #lines = new LineSplitter(LONGEST_COMMAND);
	readonly #version: { major: number; minor: number; micro: number };
	readonly #capabilities: readonly string[];
	#isNegotiated = false;

	constructor(stream: Duplex, options: FakeQemuOptions = {}) {
		this.running = true;
		this.#stream = stream;
		this.#capabilities = options.capabilities ?? ["oob"];
		this.#version = options.version ?? { major: 7, minor: 2, micro: 22 };
		this.#handlers = new Map([...this.#ownHandlers(), ...Object.entries(options.handlers ?? {})]);
		stream.on("data", (chunk: Buffer) => this.#lines.push(chunk, (line) => this.#handle(line)));
		stream.on("error", () => {});
		if (options.greets ?? true) this.greet();
	}

	greet(): void {
		this.send({
			QMP: { version: { qemu: this.#version, package: "Debian 1:7.2+dfsg" }, capabilities: this.#capabilities },
		});
	}

	emit(event: string, data?: Record<string, unknown>): void {
		const now = Date.now();
		const timestamp = { seconds: Math.floor(now / 1000), microseconds: (now % 1000) * 1000 };
		this.send({ timestamp, event, ...(data && { data }) });
	}

	send(message: unknown): void {
		this.sendRaw(`${JSON.stringify(message)}\r\n`);
	}

	/** Anything at all, for a QEMU in wrong hands. */
	sendRaw(bytes: string | Uint8Array): void {
		if (!this.#stream.destroyed) this.#stream.write(bytes);
	}

	/** As when QEMU dies. */
	die(): void {
		this.#stream.destroy();
	}

	#handle(line: string): void {
		if (line.trim() === "") return;
		const { "exec-oob": oob, ...given } = JSON.parse(line) as Command & { "exec-oob"?: string };
		if (oob !== undefined) this.outOfBand++;
		const command = oob === undefined ? given : { ...given, execute: oob };
		this.received.push(command);
		void this.#answer(command);
	}

	async #answer({ execute, arguments: args = {}, id }: Command): Promise<void> {
		try {
			const value = await this.#findHandler(execute)(args, this);
			this.send({ return: value ?? {}, id });
		} catch (error) {
			const errorClass = error instanceof FakeRefusal ? error.errorClass : "GenericError";
			this.send({ id, error: { class: errorClass, desc: error instanceof Error ? error.message : String(error) } });
		}
	}

	#findHandler(name: string): Handler {
		if (name === "qmp_capabilities") return () => this.#negotiate();
		if (!this.#isNegotiated)
			throw new FakeRefusal("CommandNotFound", "Expecting capabilities negotiation with 'qmp_capabilities'");
		const handler = this.#handlers.get(name);
		if (!handler) throw new FakeRefusal("CommandNotFound", `The command ${name} has not been found`);
		return handler;
	}

	#negotiate(): void {
		if (this.#isNegotiated)
			throw new FakeRefusal("CommandNotFound", "Capabilities negotiation is already complete, command ignored");
		this.#isNegotiated = true;
	}

	#ownHandlers(): [string, Handler][] {
		return [
			[
				"query-status",
				() => ({ running: this.running, singlestep: false, status: this.running ? "running" : "paused" }),
			],
			["query-version", () => ({ qemu: this.#version, package: "Debian 1:7.2+dfsg" })],
			["query-commands", () => [...this.#handlers.keys()].map((name) => ({ name }))],
			["query-block", () => []],
			["cont", () => this.#setRunning(true)],
			["stop", () => this.#setRunning(false)],
			["system_powerdown", () => this.emit("POWERDOWN")],
			["quit", () => setImmediate(() => this.die())],
		];
	}

	#setRunning(running: boolean): void {
		if (this.running === running) return;
		this.running = running;
		this.emit(running ? "RESUME" : "STOP");
	}
}
