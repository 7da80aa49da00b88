import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Duplex, duplexPair } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import { connectScreen, encodePng, type Frame, RfbClient, SCREEN_LIMITS } from "../src/index.ts";
import { decodePng, FakeScreen } from "../src/testing/index.ts";

const WAIT = { timeoutMs: 5000 };

function picture(width: number, height: number): Frame {
	const rgb = Uint8Array.from({ length: 3 * width * height }, (_, index) => (index * 7) % 256);
	return { width, height, rgb };
}

async function socketPath(): Promise<string> {
	const directory = await mkdtemp(join(tmpdir(), "bhscreen-"));
	onTestFinished(() => rm(directory, { recursive: true }));
	return join(directory, "screen.sock");
}

const u16 = (...values: number[]): number[] => values.flatMap((value) => [value >> 8, value & 255]);
const u32 = (value: number): number[] => [...u16(value >>> 16), ...u16(value & 0xffff)];
const VERSION = [...Buffer.from("RFB 003.008\n")];
const NO_PASSWORD = [1, 1, 0, 0, 0, 0];
const init = (width: number, height: number, name = 0): number[] => [
	...u16(width, height),
	...Array<number>(16).fill(0),
	...u32(name),
];
const SMALL = [...VERSION, ...NO_PASSWORD, ...init(2, 1)];
const rectangle = (x: number, y: number, width: number, height: number, encoding = 0): number[] => [
	...u16(x, y, width, height),
	...u32(encoding >>> 0),
];
const update = (...rectangles: number[][]): number[] => [0, 0, ...u16(rectangles.length), ...rectangles.flat()];

/** What a client does with a screen that says this, from the first byte on. */
async function frameOf(bytes: number[], chunk = bytes.length): Promise<Frame> {
	const [ours, theirs] = duplexPair();
	theirs.resume();
	for (let at = 0; at < bytes.length; at += chunk) theirs.write(Buffer.from(bytes.slice(at, at + chunk)));
	theirs.end();
	return read(ours);
}

async function read(stream: Duplex): Promise<Frame> {
	const client = await RfbClient.open(stream, WAIT);
	return client.readFrame(WAIT);
}

test("reads a whole picture, again and again, and presses keys", async () => {
	const path = await socketPath();
	const frame = picture(320, 200);
	await using screen = await FakeScreen.open({ path, frame });
	const client = await connectScreen({ path, ...WAIT });
	expect(client).toMatchObject({ width: 320, height: 200, name: "QEMU (fake)" });
	for (const seen of [await client.readFrame(WAIT), await client.readFrame(WAIT)])
		expect(Buffer.compare(seen.rgb, frame.rgb)).toBe(0);
	client.sendKey(0xff0d, true);
	client.sendKey(0xff0d, false);
	await expect.poll(() => screen.pressed).toEqual([0xff0d]);
	client.close();
	await expect.poll(() => screen.viewers).toBe(0);
});

test("a picture comes in parts, in any order, byte by byte, between other messages", async () => {
	const bell = [2];
	const cut = [3, 0, 0, 0, ...u32(5), ...Buffer.from("hello")];
	const colours = [1, 0, ...u16(0, 2), ...Array<number>(12).fill(9)];
	const right = update([...rectangle(1, 0, 1, 1), 3, 2, 1, 0]);
	const left = update([...rectangle(0, 0, 1, 1), 6, 5, 4, 0]);
	const bytes = [...SMALL, ...bell, ...right, ...cut, ...colours, ...left];
	for (const chunk of [1, 3, bytes.length])
		expect(await frameOf(bytes, chunk)).toEqual({ width: 2, height: 1, rgb: Uint8Array.from([4, 5, 6, 1, 2, 3]) });
});

test("a screen that changes its size is read anew", async () => {
	const resized = update([...rectangle(0, 0, 2, 1), ...Array<number>(8).fill(1)], rectangle(0, 0, 1, 1, -223));
	const next = update([...rectangle(0, 0, 1, 1), 3, 2, 1, 0]);
	expect(await frameOf([...SMALL, ...resized, ...next])).toEqual({
		width: 1,
		height: 1,
		rgb: Uint8Array.from([1, 2, 3]),
	});
});

test.each<[string, number[], string]>([
	["another protocol", [...Buffer.from("HTTP/1.1 400")], "protocol-error"],
	["an older version", [...Buffer.from("RFB 003.003\n")], "protocol-error"],
	["a refusal", [...VERSION, 0, ...u32(2), 104, 105], "screen-refused"],
	["a refusal without end", [...VERSION, 0, ...u32(SCREEN_LIMITS.textBytes + 1)], "protocol-error"],
	["passwords only", [...VERSION, 1, 2], "screen-refused"],
	["a failed handshake", [...VERSION, 1, 1, ...u32(1), ...u32(0)], "screen-refused"],
	["no width", [...VERSION, ...NO_PASSWORD, ...init(0, 5)], "protocol-error"],
	["too many pixels", [...VERSION, ...NO_PASSWORD, ...init(4097, 4096)], "protocol-error"],
	["too wide a screen", [...VERSION, ...NO_PASSWORD, ...init(SCREEN_LIMITS.side + 1, 1)], "protocol-error"],
	["a name without end", [...VERSION, ...NO_PASSWORD, ...init(1, 1, 0xffffffff)], "protocol-error"],
	["a part outside", [...SMALL, ...update(rectangle(1, 0, 2, 1))], "protocol-error"],
	["a part below", [...SMALL, ...update(rectangle(0, 1, 1, 1))], "protocol-error"],
	["another encoding", [...SMALL, ...update(rectangle(0, 0, 2, 1, 5))], "protocol-error"],
	["a resize too far", [...SMALL, ...update(rectangle(0, 0, 65535, 65535, -223))], "protocol-error"],
	["cut text without end", [...SMALL, 3, 0, 0, 0, ...u32(SCREEN_LIMITS.cutTextBytes + 1)], "protocol-error"],
	["another message", [...SMALL, 150], "protocol-error"],
	["the end, too soon", SMALL, "screen-closed"],
	["half a picture", [...SMALL, ...update([...rectangle(0, 0, 2, 1), 1, 2])], "screen-closed"],
])("is told of %s", async (_, bytes, code) => {
	await expect(frameOf(bytes)).rejects.toMatchObject({ code });
});

test("a screen of the largest size passes, cut text of the longest too", async () => {
	const [ours, theirs] = duplexPair();
	theirs.resume();
	theirs.write(Buffer.from([...VERSION, ...NO_PASSWORD, ...init(4096, 4096)]));
	const client = await RfbClient.open(ours, WAIT);
	expect(client.width).toBe(4096);
	client.close();
	const cut = [3, 0, 0, 0, ...u32(SCREEN_LIMITS.cutTextBytes), ...Array<number>(SCREEN_LIMITS.cutTextBytes).fill(65)];
	const frame = update([...rectangle(0, 0, 2, 1), ...Array<number>(8).fill(0)]);
	expect((await frameOf([...SMALL, ...cut, ...frame])).width).toBe(2);
});

test("a screen that says nothing is given up in time, and let go of", async () => {
	const [ours] = duplexPair();
	await expect(RfbClient.open(ours, { timeoutMs: 20 })).rejects.toMatchObject({ code: "deadline-exceeded" });
	expect(ours.destroyed).toBe(true);
	const [later, silent] = duplexPair();
	silent.resume();
	silent.write(Buffer.from(SMALL));
	const client = await RfbClient.open(later, WAIT);
	await expect(client.readFrame({ timeoutMs: 20 })).rejects.toMatchObject({ code: "deadline-exceeded" });
	expect(later.destroyed).toBe(true);
});

test("nobody at the socket is an error that says so", async () => {
	await expect(connectScreen({ path: "/nonexistent/screen.sock", ...WAIT })).rejects.toMatchObject({
		code: "screen-unreachable",
	});
});

test("a picture becomes a PNG with the same pixels", () => {
	const frame = picture(37, 11);
	expect(decodePng(encodePng(frame))).toEqual(frame);
});
