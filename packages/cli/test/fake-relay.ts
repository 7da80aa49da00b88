import { createServer, type Server, type Socket } from "node:net";
import { encodeCount, encodeData, encodeEnded } from "@bulkhead/console";

interface Asked {
	guest: string;
	console: string;
	from: unknown;
	input: boolean;
}

/** The relay's framed console socket with one console behind it that echoes nothing and remembers what was typed. */
export class FakeRelay implements AsyncDisposable {
	readonly path: string;
	readonly asked: Asked[] = [];
	typed = "";
	readonly #server: Server;
	readonly #sockets: Socket[] = [];
	#received = 0;

	static async open(path: string): Promise<FakeRelay> {
		const relay = new FakeRelay(path);
		await new Promise<void>((resolve) => relay.#server.listen(path, resolve));
		return relay;
	}

	private constructor(path: string) {
		this.path = path;
		this.#server = createServer((socket) => this.#serve(socket));
	}

	print(text: string): void {
		this.#sockets.at(-1)?.write(encodeData(Buffer.from(text)));
	}

	end(reason: string): void {
		this.#sockets.at(-1)?.write(encodeEnded(reason));
	}

	async [Symbol.asyncDispose](): Promise<void> {
		for (const socket of this.#sockets) socket.destroy();
		await new Promise((resolve) => this.#server.close(resolve));
	}

	#serve(socket: Socket): void {
		this.#sockets.push(socket);
		socket.on("error", () => {});
		let head = "";
		let isAttached = false;
		socket.on("data", (chunk) => {
			if (isAttached) return this.#type(chunk);
			head += chunk.toString();
			if (!head.includes("\n")) return;
			const request = JSON.parse(head) as Asked;
			this.asked.push(request);
			isAttached = true;
			const stream = { stream: "s", ring: "r", offset: 0, end: 7, inputOffset: this.#received, writer: request.input };
			socket.write(`${JSON.stringify({ ok: true, ...stream })}\n`);
			this.print("login: ");
		});
	}

	#type(chunk: Buffer): void {
		this.typed += chunk.toString();
		this.#received += chunk.length;
		this.#sockets.at(-1)?.write(encodeCount("acknowledged", this.#received));
	}
}
