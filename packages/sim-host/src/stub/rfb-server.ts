import type { Duplex } from "node:stream";
import type { SimPicture } from "./sim-picture.ts";

/** Lengths of a viewer's messages without what follows a count (RFC 6143 §7.5). */
const MESSAGE_BYTES: Readonly<Record<number, number>> = { 0: 20, 2: 4, 3: 10, 4: 8, 5: 6, 6: 8 };
/** ClientCutText above this ends the session. */
const MOST_TEXT = 64 * 1024;

/** How 32 bits and fewer hold a colour (RFC 6143 §7.4). */
interface PixelFormat {
	bytes: number;
	isBigEndian: boolean;
	max: readonly [number, number, number];
	shift: readonly [number, number, number];
}

const FORMAT_BYTES = Buffer.from([32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]);

/** A QEMU's VNC server for one viewer, as far as a viewer sees it: RFB 3.8 without security, raw pixels. */
export class RfbServer {
	readonly #stream: Duplex;
	readonly #picture: SimPicture;
	readonly #onKey: (keysym: number, isDown: boolean) => void;
	#input = Buffer.alloc(0);
	#take: () => number = () => this.#takeVersion();
	#format = parseFormat(FORMAT_BYTES);
	#seen = -1;
	#isWaiting = false;

	constructor(stream: Duplex, picture: SimPicture, onKey: (keysym: number, isDown: boolean) => void) {
		this.#stream = stream;
		this.#picture = picture;
		this.#onKey = onKey;
		stream.on("error", () => {});
		stream.on("data", (chunk: Buffer) => this.#receive(chunk));
		const unwatch = picture.onChange(() => this.#update());
		stream.once("close", unwatch);
		stream.write("RFB 003.008\n");
	}

	#receive(chunk: Buffer): void {
		this.#input = Buffer.concat([this.#input, chunk]);
		for (let taken = -1; taken !== 0 && !this.#stream.destroyed; ) {
			taken = this.#take();
			this.#input = this.#input.subarray(taken);
		}
	}

	#takeVersion(): number {
		if (this.#input.length < 12) return 0;
		this.#stream.write(Buffer.of(1, 1));
		this.#take = () => this.#takeType();
		return 12;
	}

	#takeType(): number {
		if (this.#input.length < 1) return 0;
		this.#stream.write(Buffer.alloc(4));
		this.#take = () => this.#takeInit();
		return 1;
	}

	#takeInit(): number {
		if (this.#input.length < 1) return 0;
		const { width, height, name } = this.#picture;
		const size = Buffer.alloc(4);
		size.writeUInt16BE(width, 0);
		size.writeUInt16BE(height, 2);
		const length = Buffer.alloc(4);
		length.writeUInt32BE(name.length);
		this.#stream.write(Buffer.concat([size, FORMAT_BYTES, length, Buffer.from(name, "latin1")]));
		this.#take = () => this.#takeMessage();
		return 1;
	}

	#takeMessage(): number {
		const [type] = this.#input;
		if (type === undefined) return 0;
		const length = this.#lengthOf(type);
		if (length === undefined) {
			this.#stream.destroy();
			return 0;
		}
		if (this.#input.length < length) return 0;
		if (type === 0) this.#format = parseFormat(this.#input.subarray(4));
		if (type === 3) this.#request(this.#input[1] === 1);
		if (type === 4) this.#onKey(this.#input.readUInt32BE(4), this.#input[1] === 1);
		return length;
	}

	#lengthOf(type: number): number | undefined {
		const head = MESSAGE_BYTES[type];
		if (head === undefined || this.#input.length < head) return head;
		if (type === 2) return head + 4 * this.#input.readUInt16BE(2);
		if (type !== 6) return head;
		// A negative length is the extended clipboard's.
		const text = Math.abs(this.#input.readInt32BE(4));
		return text > MOST_TEXT ? undefined : head + text;
	}

	#request(isIncremental: boolean): void {
		if (!isIncremental) this.#seen = -1;
		this.#isWaiting = true;
		this.#update();
	}

	#update(): void {
		const { width, height, version } = this.#picture;
		if (!this.#isWaiting || this.#seen === version) return;
		this.#isWaiting = false;
		this.#seen = version;
		const head = Buffer.alloc(16);
		head.writeUInt16BE(1, 2);
		head.writeUInt16BE(width, 8);
		head.writeUInt16BE(height, 10);
		this.#stream.write(Buffer.concat([head, this.#encode()]));
	}

	#encode(): Buffer {
		const { pixels } = this.#picture;
		const { bytes, isBigEndian, max, shift } = this.#format;
		const count = pixels.length / 3;
		const encoded = Buffer.alloc(count * bytes);
		for (let index = 0; index < count; index++) {
			let value = 0;
			for (let colour = 0; colour < 3; colour++) {
				const part = Math.round(((pixels[3 * index + colour] ?? 0) * (max[colour] ?? 0)) / 255);
				value += part * 2 ** (shift[colour] ?? 0);
			}
			if (isBigEndian) encoded.writeUIntBE(value, index * bytes, bytes);
			else encoded.writeUIntLE(value, index * bytes, bytes);
		}
		return encoded;
	}
}

function parseFormat(bytes: Buffer): PixelFormat {
	const at = (offset: number): number => bytes[offset] ?? 0;
	return {
		bytes: Math.min(4, Math.max(1, at(0) >> 3)),
		isBigEndian: at(2) !== 0,
		max: [bytes.readUInt16BE(4), bytes.readUInt16BE(6), bytes.readUInt16BE(8)],
		shift: [at(10) & 31, at(11) & 31, at(12) & 31],
	};
}
