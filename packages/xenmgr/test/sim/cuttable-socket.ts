import { rm } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";

/** A way to a unix socket that can be cut, as the death of the process at this end would. */
export class CuttableSocket {
	readonly path: string;
	readonly #server: Server;
	readonly #sockets = new Set<Socket>();

	static async open(path: string, target: string): Promise<CuttableSocket> {
		const cuttable = new CuttableSocket(path, target);
		await rm(path, { force: true });
		await new Promise<void>((resolve, reject) => {
			cuttable.#server.once("error", reject);
			cuttable.#server.listen(path, resolve);
		});
		return cuttable;
	}

	private constructor(path: string, target: string) {
		this.path = path;
		this.#server = createServer((near) => {
			const far = connect(target);
			for (const [socket, other] of [
				[near, far],
				[far, near],
			] as const) {
				this.#sockets.add(socket);
				socket.on("error", () => {});
				socket.once("close", () => {
					this.#sockets.delete(socket);
					other.destroy();
				});
				socket.pipe(other);
			}
		});
	}

	/** Nobody gets through any more. Idempotent. */
	cut(): void {
		this.#server.close();
		for (const socket of this.#sockets) socket.destroy();
	}
}
