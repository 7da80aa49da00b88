import { createServer, type Server, type Socket } from "node:net";
import type { Frame } from "../frame.ts";

export interface FakeScreenOptions {
	path: string;
	frame: Frame;
}

/** Bytes of each message of a client's, by its type; those of encodings and cut text tell the rest. */
const FIXED: Readonly<Record<number, number>> = { 0: 20, 3: 10, 4: 8, 5: 6 };

interface Viewer {
	socket: Socket;
	bytes: Buffer;
	/** Which message of the handshake is awaited; undefined afterwards. */
	greeting: "version" | "security" | "init" | undefined;
}

/** A screen on a unix socket, as much of QEMU's as a viewer meets: raw pixels, keys that it remembers. */
export class FakeScreen implements AsyncDisposable {
	/** X11's symbols of keys, in the order in which they were pressed. */
	readonly pressed: number[] = [];
	/** What viewers have cut. */
	readonly cut: string[] = [];
	readonly #frame: Frame;
	readonly #server: Server;
	readonly #viewers = new Set<Viewer>();

	static async open({ path, frame }: FakeScreenOptions): Promise<FakeScreen> {
		const screen = new FakeScreen(frame);
		await new Promise<void>((resolve, reject) => {
			screen.#server.once("error", reject).listen(path, resolve);
		});
		return screen;
	}

	private constructor(frame: Frame) {
		this.#frame = frame;
		this.#server = createServer((socket) => this.#greet(socket));
	}

	get viewers(): number {
		return this.#viewers.size;
	}

	/** As when a relay dies: all viewers lose their connections, and its socket's file stays. */
	dropAll(): void {
		for (const { socket } of this.#viewers) socket.destroy();
	}

	/** To all who watch, whatever it is. */
	sendRaw(bytes: Uint8Array): boolean {
		return [...this.#viewers].map(({ socket }) => socket.write(bytes)).every(Boolean);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.dropAll();
		await new Promise((resolve) => this.#server.close(resolve));
	}

	#greet(socket: Socket): void {
		const viewer: Viewer = { socket, bytes: Buffer.alloc(0), greeting: "version" };
		this.#viewers.add(viewer);
		socket.on("error", () => {});
		socket.once("close", () => this.#viewers.delete(viewer));
		socket.on("data", (chunk) => {
			viewer.bytes = Buffer.concat([viewer.bytes, chunk]);
			while (this.#step(viewer));
		});
		socket.write("RFB 003.008\n");
	}

	/** Takes one message; false when it is not whole yet. */
	#step(viewer: Viewer): boolean {
		const length = this.#lengthOf(viewer);
		if (length === undefined || viewer.bytes.length < length) return false;
		const message = viewer.bytes.subarray(0, length);
		viewer.bytes = viewer.bytes.subarray(length);
		if (viewer.greeting) this.#goOn(viewer);
		else this.#take(viewer, message);
		return true;
	}

	#lengthOf({ bytes, greeting }: Viewer): number | undefined {
		if (greeting) return greeting === "version" ? 12 : 1;
		const type = bytes[0];
		if (type === undefined) return undefined;
		if (type === 2) return bytes.length < 4 ? undefined : 4 + 4 * bytes.readUInt16BE(2);
		if (type === 6) return bytes.length < 8 ? undefined : 8 + Math.abs(bytes.readInt32BE(4));
		const fixed = FIXED[type];
		if (fixed === undefined) throw new TypeError(`A viewer sent a message of type ${type}`);
		return fixed;
	}

	#goOn(viewer: Viewer): void {
		const { socket, greeting } = viewer;
		if (greeting === "version") {
			viewer.greeting = "security";
			socket.write(Buffer.from([1, 1]));
		} else if (greeting === "security") {
			viewer.greeting = "init";
			socket.write(Buffer.alloc(4));
		} else {
			viewer.greeting = undefined;
			socket.write(this.#serverInit());
		}
	}

	#serverInit(): Buffer {
		const name = Buffer.from("QEMU (fake)");
		const head = Buffer.alloc(24);
		head.writeUInt16BE(this.#frame.width, 0);
		head.writeUInt16BE(this.#frame.height, 2);
		head.set([32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0], 4);
		head.writeUInt32BE(name.length, 20);
		return Buffer.concat([head, name]);
	}

	#take({ socket }: Viewer, message: Buffer): void {
		if (message[0] === 3) socket.write(this.#wholeFrame());
		if (message[0] === 4 && message[1] === 1) this.pressed.push(message.readUInt32BE(4));
		if (message[0] === 6) this.cut.push(message.subarray(8).toString("latin1"));
	}

	#wholeFrame(): Buffer {
		const { width, height, rgb } = this.#frame;
		const head = Buffer.alloc(16);
		head.writeUInt16BE(1, 2);
		head.writeUInt16BE(width, 8);
		head.writeUInt16BE(height, 10);
		const pixels = Buffer.alloc(4 * width * height);
		for (let at = 0; at < width * height; at++)
			pixels.set([rgb[3 * at + 2] ?? 0, rgb[3 * at + 1] ?? 0, rgb[3 * at] ?? 0], 4 * at);
		return Buffer.concat([head, pixels]);
	}
}
