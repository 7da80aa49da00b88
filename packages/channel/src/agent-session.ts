import type { Duplex } from "node:stream";
import { BulkheadError, CancelledError, DeadlineError, Mutex, withDeadline } from "@bulkhead/base";
import { LineReader } from "./line-reader.ts";

/** What guest/channel-agent listens on. */
export const AGENT_CHANNEL = "org.bulkhead.agent.v1";

export interface AgentSessionOptions {
	/** Somebody in the guest has given text for the host. Untrusted. */
	onClipboard?: (text: string) => void;
	/** How long the guest may take to boot and to answer. Default 2 min. */
	greetingMs?: number;
	signal?: AbortSignal;
}

const GREETING_MS = 120_000;
/** An agent that is not there yet finds the question when it comes, unless its tty was not raw at that moment. */
const ASK_AGAIN_MS = 2000;
const ANSWER_MS = 30_000;

interface Waiting {
	word: string;
	resolve: (granted: boolean) => void;
	reject: (error: Error) => void;
}

/** The host's end of a conversation with guest/channel-agent. It is over when the stream is. */
export class AgentSession {
	readonly #stream: Duplex;
	readonly #options: AgentSessionOptions;
	readonly #asking = new Mutex();
	#waiting: Waiting | undefined;
	#greeted: ((hostname: string) => void) | undefined;
	#over: Error | undefined;
	/** What the guest calls itself. Untrusted. */
	hostname = "";

	/** Says hello until the agent answers. @throws DeadlineError, CancelledError when the stream ends before */
	static async open(stream: Duplex, options: AgentSessionOptions = {}): Promise<AgentSession> {
		const session = new AgentSession(stream, options);
		await session.#greet();
		return session;
	}

	private constructor(stream: Duplex, options: AgentSessionOptions) {
		this.#stream = stream;
		this.#options = options;
		void this.#read(new LineReader(stream));
	}

	/** Gives the guest its configuration; false when it has one already, which stays. */
	configure(configuration: Uint8Array | string): Promise<boolean> {
		return this.#ask("config", Buffer.from(configuration).toString("base64"));
	}

	/** Gives the guest text. */
	async setClipboard(text: string): Promise<void> {
		await this.#demand("clipboard", Buffer.from(text).toString("base64"));
	}

	/** Resolves when the guest has said that it will. */
	async shutdown(how: "poweroff" | "reboot"): Promise<void> {
		await this.#demand("shutdown", how);
	}

	close(): void {
		this.#stream.destroy();
	}

	async #demand(word: string, value: string): Promise<void> {
		if (await this.#ask(word, value)) return;
		throw new BulkheadError("agent-refused", `The guest's agent refused ${word}`);
	}

	#ask(word: string, value: string): Promise<boolean> {
		return this.#asking.run(async () => {
			if (this.#over) throw this.#over;
			const answer = new Promise<boolean>((resolve, reject) => {
				this.#waiting = { word, resolve, reject };
			});
			this.#stream.write(`${word} ${value}\n`);
			try {
				return await withDeadline(answer, { timeoutMs: ANSWER_MS, what: `the agent's answer to ${word}` });
			} finally {
				this.#waiting = undefined;
			}
		});
	}

	async #greet(): Promise<void> {
		const { greetingMs = GREETING_MS, signal } = this.#options;
		const greeting = new Promise<string>((resolve) => {
			this.#greeted = resolve;
		});
		const limit = performance.now() + greetingMs;
		for (;;) {
			if (this.#over) throw this.#over;
			// The line before: what an earlier client left half said ends here.
			this.#stream.write("\nhello\n");
			const timeoutMs = Math.min(ASK_AGAIN_MS, limit - performance.now());
			try {
				this.hostname = await withDeadline(greeting, { timeoutMs, signal, what: "the guest's agent" });
				return;
			} catch (error) {
				if (!(error instanceof DeadlineError) || performance.now() + ASK_AGAIN_MS > limit) {
					this.close();
					throw error;
				}
			}
		}
	}

	async #read(lines: LineReader): Promise<void> {
		try {
			for (;;) this.#take(await lines.next());
		} catch (error) {
			this.#over = error instanceof Error ? error : new CancelledError("The channel is closed");
			this.#waiting?.reject(this.#over);
		}
	}

	/** Lines that are none of the protocol's are passed over: an echo, the rest of an earlier conversation. */
	#take(line: string): void {
		const [word, what = "", ...rest] = line.split(" ");
		if (word === "hello" && what === "1") this.#greeted?.(rest.join(" "));
		else if (word === "clipboard" && line.length > "clipboard ".length)
			this.#options.onClipboard?.(Buffer.from(what, "base64").toString("utf8"));
		else if ((word === "ok" || word === "no") && this.#waiting?.word === what) this.#waiting.resolve(word === "ok");
	}
}
