import type { Duplex } from "node:stream";
import {
	BulkheadError,
	PeerRefusedError,
	ProtocolError,
	printable,
	type WaitOptions,
	withDeadline,
} from "@bulkhead/base";
import { ByteReader } from "./byte-reader.ts";
import { checkSize, type Frame, FrameBuilder, type Rectangle } from "./frame.ts";
import { SCREEN_LIMITS } from "./limits.ts";
import {
	ENCODING,
	encodingsMessage,
	keyMessage,
	pixelFormatMessage,
	SECURITY_NONE,
	SERVER,
	VERSION,
	wholeScreenRequest,
} from "./rfb-messages.ts";

type Wait = Pick<WaitOptions, "timeoutMs" | "signal">;

/**
 * A client of one screen, over a stream that is its own. The other end is not trusted: every length is checked before it
 * is used, and whatever fails ends the conversation. One frame is read at a time.
 */
export class RfbClient {
	readonly #stream: Duplex;
	readonly #reader: ByteReader;
	#width = 0;
	#height = 0;
	/** What the screen calls itself. Untrusted. */
	name = "";

	/**
	 * Shakes hands; other viewers stay connected.
	 * @throws ProtocolError, also `screen-closed`; PeerRefusedError `screen-refused`; DeadlineError, CancelledError
	 */
	static async open(stream: Duplex, wait: Wait): Promise<RfbClient> {
		const client = new RfbClient(stream);
		await client.#within(client.#greet(), { ...wait, what: "the screen to answer" });
		return client;
	}

	private constructor(stream: Duplex) {
		this.#stream = stream;
		stream.on("error", () => {}); // Whoever reads is told.
		this.#reader = new ByteReader(stream);
	}

	/** In pixels, as last heard. */
	get width(): number {
		return this.#width;
	}

	get height(): number {
		return this.#height;
	}

	/** A picture of the whole screen as it is now. @throws as `open` does */
	readFrame(wait: Wait): Promise<Frame> {
		return this.#within(this.#readFrame(), { ...wait, what: "a picture of the screen" });
	}

	/** Presses a key, or lets go of it. `keysym` is X11's. */
	sendKey(keysym: number, down: boolean): void {
		this.#stream.write(keyMessage(keysym, down));
	}

	close(): void {
		this.#stream.destroy();
	}

	async #within<T>(work: Promise<T>, wait: WaitOptions): Promise<T> {
		try {
			return await withDeadline(work, wait);
		} catch (error) {
			this.close();
			work.catch(() => {}); // It fails too, now.
			if (error instanceof BulkheadError) throw error;
			throw new ProtocolError("The screen's connection broke", { cause: error }, "screen-closed");
		}
	}

	async #greet(): Promise<void> {
		const version = (await this.#reader.take(VERSION.length)).toString("latin1");
		if (version !== VERSION) throw new ProtocolError(`The screen speaks no RFB 3.8: ${printable(version)}`);
		this.#stream.write(VERSION);
		await this.#agreeOnSecurity();
		this.#stream.write(Buffer.from([1])); // Others may watch too.
		const head = await this.#reader.take(24);
		this.#resize(head.readUInt16BE(0), head.readUInt16BE(2));
		this.name = await this.#text(head.readUInt32BE(20));
		this.#stream.write(pixelFormatMessage());
		this.#stream.write(encodingsMessage([ENCODING.raw, ENCODING.desktopSize]));
	}

	async #agreeOnSecurity(): Promise<void> {
		const [count = 0] = await this.#reader.take(1);
		if (count === 0) throw await this.#refusal();
		const types = await this.#reader.take(count);
		if (!types.includes(SECURITY_NONE))
			throw new PeerRefusedError("screen-refused", "The screen asks for a password", {
				remedy: "Use the relay's own socket of the screen, which asks for none",
			});
		this.#stream.write(Buffer.from([SECURITY_NONE]));
		if ((await this.#reader.take(4)).readUInt32BE(0) !== 0) throw await this.#refusal();
	}

	async #refusal(): Promise<PeerRefusedError> {
		const reason = await this.#text((await this.#reader.take(4)).readUInt32BE(0));
		return new PeerRefusedError("screen-refused", `The screen refuses: ${printable(reason)}`);
	}

	async #readFrame(): Promise<Frame> {
		let builder = this.#ask();
		while (!builder.isComplete) {
			const [type = -1] = await this.#reader.take(1);
			if (type === SERVER.update) builder = await this.#update(builder);
			else await this.#passOver(type);
		}
		return builder.frame;
	}

	#ask(): FrameBuilder {
		this.#stream.write(wholeScreenRequest(this.#width, this.#height));
		return new FrameBuilder(this.#width, this.#height);
	}

	/** Rectangles of one update. A screen that has another size from now on is asked for anew. */
	async #update(builder: FrameBuilder): Promise<FrameBuilder> {
		let target = builder;
		let isResized = false;
		const count = (await this.#reader.take(3)).readUInt16BE(1);
		for (let index = 0; index < count; index++) {
			const head = await this.#reader.take(12);
			const [x = 0, y = 0, width = 0, height = 0] = [0, 2, 4, 6].map((at) => head.readUInt16BE(at));
			const encoding = head.readInt32BE(8);
			if (encoding === ENCODING.desktopSize) {
				this.#resize(width, height);
				target = new FrameBuilder(width, height);
				isResized = true;
			} else if (encoding === ENCODING.raw) await this.#raw(target, { x, y, width, height });
			else throw new ProtocolError(`The screen uses encoding ${encoding}, which nobody offered`);
		}
		return isResized ? this.#ask() : target;
	}

	async #raw(builder: FrameBuilder, part: Rectangle): Promise<void> {
		builder.check(part);
		const row = Buffer.allocUnsafe(4 * part.width);
		for (let line = 0; line < part.height; line++) {
			await this.#reader.fill(row);
			builder.putRow(part.x, part.y + line, row);
		}
	}

	async #passOver(type: number): Promise<void> {
		switch (type) {
			case SERVER.bell:
				return;
			case SERVER.colours:
				return this.#reader.skip(6 * (await this.#reader.take(5)).readUInt16BE(3));
			case SERVER.cutText: {
				const length = (await this.#reader.take(7)).readUInt32BE(3);
				if (length > SCREEN_LIMITS.cutTextBytes) throw new ProtocolError("The screen's cut text is too long");
				return this.#reader.skip(length);
			}
			default:
				throw new ProtocolError(`The screen sends a message of type ${type}, which is none of RFB's`);
		}
	}

	#resize(width: number, height: number): void {
		checkSize(width, height);
		this.#width = width;
		this.#height = height;
	}

	async #text(length: number): Promise<string> {
		if (length > SCREEN_LIMITS.textBytes) throw new ProtocolError("A text of the screen's is too long");
		return (await this.#reader.take(length)).toString("utf8");
	}
}
