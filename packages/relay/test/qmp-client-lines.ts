import { connect, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { until } from "./until.ts";

export type Message = Record<string, unknown>;

/** A program that speaks QMP on a socket, as any does: one object for each line. */
export class QmpSocketClient {
	readonly messages: Message[] = [];
	readonly socket: Socket;
	text = "";
	#rest = "";

	private constructor(path: string) {
		this.socket = connect({ path });
		this.socket.on("error", () => {});
		this.socket.on("data", (chunk) => {
			this.text += chunk.toString("latin1");
			const lines = (this.#rest + chunk.toString()).split("\r\n");
			this.#rest = lines.pop() ?? "";
			for (const line of lines) this.messages.push(JSON.parse(line) as Message);
		});
	}

	/** Waits for the greeting, and negotiates unless told otherwise. */
	static async open(path: string, { negotiate = true, oob = false } = {}): Promise<QmpSocketClient> {
		const client = new QmpSocketClient(path);
		onTestFinished(() => void client.socket.destroy());
		await until("the greeting", () => client.messages.length === 1);
		if (negotiate) await client.ask("qmp_capabilities", oob ? { enable: ["oob"] } : undefined);
		return client;
	}

	send(message: object): void {
		this.socket.write(`${JSON.stringify(message)}\n`);
	}

	/** Sends a command with a fresh id and awaits its answer. */
	async ask(execute: string, args?: object, id: unknown = `q${this.messages.length}-${execute}`): Promise<Message> {
		this.send({ execute, ...(args && { arguments: args }), id });
		return this.answerTo(id);
	}

	async answerTo(id: unknown): Promise<Message> {
		const find = (): Message | undefined =>
			this.messages.find((message) => JSON.stringify(message.id) === JSON.stringify(id));
		await until(`the answer to ${String(id)}`, () => find() !== undefined);
		return find() as Message;
	}

	get events(): unknown[] {
		return this.messages.filter(({ event }) => event !== undefined).map(({ event }) => event);
	}

	get isOver(): boolean {
		return this.socket.destroyed;
	}
}
