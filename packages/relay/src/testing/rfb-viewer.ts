import { once } from "node:events";
import { connect, type NetConnectOpts } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import { BulkheadError } from "@bulkhead/base";
import { SECURITY, takeByte, takeWord, VENCRYPT, word } from "../screen/rfb/rfb-words.ts";
import { answerChallenge } from "../screen/rfb/vnc-password.ts";
import { takeBytes } from "../stream/take-bytes.ts";

export interface RfbViewerOptions {
	password?: string;
	/** For VeNCrypt: whom it trusts, and the name in the server's certificate. */
	tls?: { ca: string; servername: string };
	/** 3, 7 or 8. */
	minor?: 3 | 7 | 8;
	/** Bytes in one write at most. */
	pieceBytes?: number;
}

/** The server does not want this viewer. `code` is `viewer-refused`. */
export class ViewerRefusedError extends BulkheadError {
	constructor(reason: string) {
		super("viewer-refused", reason);
	}
}

/** A viewer of RFB as small as can be, for tests: security, raw pixels, keys. */
export class RfbViewer {
	readonly width: number;
	readonly height: number;
	readonly name: string;
	readonly #stream: Duplex;

	/** @throws ViewerRefusedError, ProtocolError when the server closes */
	static async open(place: NetConnectOpts, options: RfbViewerOptions = {}): Promise<RfbViewer> {
		const socket = connect(place);
		socket.on("error", () => {});
		try {
			await once(socket, "connect");
			return await RfbViewer.over(socket, options);
		} catch (error) {
			socket.destroy();
			throw error;
		}
	}

	static async over(raw: Duplex, options: RfbViewerOptions = {}): Promise<RfbViewer> {
		const stream = await negotiate(raw, options);
		stream.write(Buffer.of(1));
		const head = await takeBytes(stream, 24);
		const name = (await takeBytes(stream, head.readUInt32BE(20))).toString("latin1");
		return new RfbViewer(stream, head, name);
	}

	private constructor(stream: Duplex, head: Buffer, name: string) {
		this.#stream = stream;
		this.width = head.readUInt16BE(0);
		this.height = head.readUInt16BE(2);
		this.name = name;
		// SetPixelFormat: 32 bits, little-endian, blue first; SetEncodings: raw.
		const format = Buffer.from([32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]);
		stream.write(Buffer.concat([Buffer.of(0, 0, 0, 0), format, Buffer.of(2, 0, 0, 1, 0, 0, 0, 0)]));
	}

	/** The picture, four bytes (blue, green, red, nothing) a pixel, row by row; changed since the last one if need be. */
	async frame({ changed = false }: { changed?: boolean } = {}): Promise<Buffer> {
		const request = Buffer.alloc(10);
		request.writeUInt8(3, 0);
		request.writeUInt8(changed ? 1 : 0, 1);
		request.writeUInt16BE(this.width, 6);
		request.writeUInt16BE(this.height, 8);
		this.#stream.write(request);
		const picture = Buffer.alloc(4 * this.width * this.height);
		while ((await takeByte(this.#stream)) !== 0);
		const count = (await takeBytes(this.#stream, 3)).readUInt16BE(1);
		for (let index = 0; index < count; index++) await this.#takeRectangle(picture);
		return picture;
	}

	press(keysym: number): void {
		for (const down of [1, 0]) this.#stream.write(Buffer.concat([Buffer.of(4, down, 0, 0), word(keysym)]));
	}

	/** Resolves when the server has closed. */
	async ended(): Promise<void> {
		this.#stream.resume();
		if (!this.#stream.closed) await once(this.#stream, "close");
	}

	/** Reads no more. */
	stall(): void {
		this.#stream.pause();
	}

	close(): void {
		this.#stream.destroy();
	}

	async #takeRectangle(picture: Buffer): Promise<void> {
		const head = await takeBytes(this.#stream, 12);
		const [x, y, width, height] = [0, 2, 4, 6].map((at) => head.readUInt16BE(at)) as [number, number, number, number];
		if (head.readInt32BE(8) !== 0) throw new TypeError("Raw pixels were asked for");
		for (let row = 0; row < height; row++) {
			const pixels = await takeBytes(this.#stream, 4 * width);
			pixels.copy(picture, 4 * ((y + row) * this.width + x));
		}
	}
}

async function negotiate(
	socket: Duplex,
	{ password, tls, minor = 8, pieceBytes = 64 }: RfbViewerOptions,
): Promise<Duplex> {
	const say = (stream: Duplex, bytes: Buffer): void => {
		for (let at = 0; at < bytes.length; at += pieceBytes) stream.write(bytes.subarray(at, at + pieceBytes));
	};
	await takeBytes(socket, 12);
	say(socket, Buffer.from(`RFB 003.00${minor}\n`));
	const type = minor === 3 ? await takeWord(socket) : await chooseType(socket, { password, tls });
	if (type === 0) throw await refusal(socket);
	if (minor > 3) say(socket, Buffer.of(type));
	let stream: Duplex = socket;
	let inner = type;
	if (type === SECURITY.veNCrypt) {
		await takeBytes(socket, 2);
		say(socket, Buffer.of(0, 2));
		if ((await takeByte(socket)) !== 0 || (await takeByte(socket)) !== 1) throw new ViewerRefusedError("No VeNCrypt");
		const subtype = await takeWord(socket);
		say(socket, word(subtype));
		if ((await takeByte(socket)) !== 1) throw new ViewerRefusedError("No VeNCrypt of that kind");
		const secure = connectTls({ socket, ...tls });
		secure.on("error", () => {});
		await Promise.race([once(secure, "secureConnect"), once(secure, "close")]);
		stream = secure;
		inner = subtype === VENCRYPT.x509Vnc ? SECURITY.vnc : SECURITY.none;
	}
	if (inner === SECURITY.vnc) say(stream, answerChallenge(password ?? "", await takeBytes(stream, 16)));
	if ((minor === 8 || type !== SECURITY.none) && (await takeWord(stream)) !== 0)
		throw minor === 8 ? await refusal(stream) : new ViewerRefusedError("No reason");
	return stream;
}

async function chooseType(stream: Duplex, { password, tls }: RfbViewerOptions): Promise<number> {
	const types = [...(await takeBytes(stream, await takeByte(stream)))];
	const wanted = tls ? SECURITY.veNCrypt : password === undefined ? SECURITY.none : SECURITY.vnc;
	if (types.includes(wanted)) return wanted;
	throw new ViewerRefusedError(`Only types ${types.join(", ")}`);
}

async function refusal(stream: Duplex): Promise<ViewerRefusedError> {
	return new ViewerRefusedError((await takeBytes(stream, await takeWord(stream))).toString("latin1"));
}
