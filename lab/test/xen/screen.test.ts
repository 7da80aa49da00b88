import { Duplex } from "node:stream";
import { RfbViewer, type RfbViewerOptions } from "@bulkhead/relay/testing";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Lab } from "../../src/lab.ts";
import { awaitReady, killAndAwaitRestart } from "./support/daemons.ts";
import { eventually, ok, useLab } from "./support/dom0.ts";
import { createGuest, createRefused, destroyAll, findGuest, type GuestDocument, TINY } from "./support/guests.ts";
import { talkToTiny } from "./support/tiny-guest.ts";

const SCREEN = ['vga="stdvga"', "videoram=16"];
/** Away from what QEMUs in domain 0 of other tests take. */
const PORT = 5940;
const WITH_PASSWORD = ["vnc=1", `vncdisplay=${PORT - 5900}`, 'vncpasswd="secret"'];
const FRAME_MS = 60_000;

interface ScreenDocument extends GuestDocument {
	screen?: {
		socketPath?: string;
		viewers: number;
		mostViewers: number;
		listen?: { address: string; port: number; security: string };
		problem?: string;
	};
}

/** A viewer here, its bytes carried by socat in dom0. */
async function look(lab: Lab, place: string, options: RfbViewerOptions = {}): Promise<RfbViewer> {
	const { stdin, stdout } = lab.spawn(["socat", "-", place]);
	if (!stdin || !stdout) throw new TypeError("A program has pipes");
	const stream = Duplex.from({ readable: stdout, writable: stdin });
	stream.on("error", () => {}); // "close" follows
	try {
		return await RfbViewer.over(stream, options);
	} catch (error) {
		stream.destroy();
		throw error;
	}
}

/** The firmware's text: grey on black, in VGA's text mode. */
function awaitText(viewer: RfbViewer): Promise<Buffer> {
	return eventually(
		"SeaBIOS' words",
		async () => {
			const frame = await viewer.frame();
			const lit = frame.filter((value) => value > 100).length;
			return lit > 300 && lit < frame.length / 4 ? frame : undefined;
		},
		FRAME_MS,
	);
}

describe("the screen of a guest with a stub domain", () => {
	const the = useLab();
	let guest: ScreenDocument;
	const viewers: RfbViewer[] = [];

	async function lookAt(place: string, options?: RfbViewerOptions): Promise<RfbViewer> {
		const viewer = await look(the.lab, place, options);
		viewers.push(viewer);
		return viewer;
	}
	const socket = (): string => `UNIX-CONNECT:${guest.screen?.socketPath}`;
	const screen = async (): Promise<ScreenDocument["screen"]> =>
		((await findGuest(the.lab, "tiny")) as ScreenDocument | undefined)?.screen;

	beforeAll(async () => {
		guest = await createGuest(the.lab, TINY, ...SCREEN, ...WITH_PASSWORD);
		await talkToTiny(the.lab, guest);
	});
	afterEach(() => {
		for (const viewer of viewers.splice(0)) viewer.close();
	});
	afterAll(async () => {
		await awaitReady(the.lab);
		await destroyAll(the.lab);
	});

	it("shows two viewers SeaBIOS' text on the relay's socket, which is root's", async () => {
		expect(guest.screen).toMatchObject({
			mostViewers: 4,
			socketPath: expect.stringContaining("/screen.sock") as string,
		});
		expect(await ok(the.lab, ["stat", "-c", "%a", `${guest.screen?.socketPath}`])).toBe("600\n");
		const [first, second] = [await lookAt(socket()), await lookAt(socket())];
		expect([first.width, first.height]).toEqual([720, 400]);
		const seen = await awaitText(first);
		await eventually("both to see the same", async () =>
			(await second.frame()).equals(await first.frame()) ? true : undefined,
		);
		expect(seen.length).toBe(4 * 720 * 400);
		await eventually("both to be counted", async () => ((await screen())?.viewers === 2 ? true : undefined));
	});

	it("lets no more in than it has ways, and each way is clean for the next", async () => {
		for (let count = 0; count < 4; count++) await lookAt(socket());
		await expect(look(the.lab, socket())).rejects.toMatchObject({ code: "protocol-error" });
		for (let round = 0; round < 5; round++) {
			const leaving = viewers.shift();
			// Leaves with a picture on its way.
			leaving?.frame().catch(() => {});
			leaving?.close();
			await eventually("a free way", async () => ((await screen())?.viewers === 3 ? true : undefined));
			expect((await (await lookAt(socket())).frame()).length).toBe(4 * 720 * 400);
		}
	});

	it("asks viewers on TCP for the password, and says in xenstore where", async () => {
		expect(guest.screen?.listen).toEqual({ address: "127.0.0.1", port: PORT, security: "password" });
		const node = `/local/domain/${guest.domid}/console/vnc-port`;
		expect((await ok(the.lab, ["xenstore-read", node])).trim()).toBe(`${PORT}`);
		const place = `TCP:127.0.0.1:${PORT}`;
		await expect(look(the.lab, place, { password: "wrong" })).rejects.toMatchObject({
			message: "Authentication failed",
		});
		for (const minor of [3, 8] as const) await awaitText(await lookAt(place, { password: "secret", minor }));
	});

	it("is there again after relay and daemon were killed", async () => {
		const before = await lookAt(socket());
		await killAndAwaitRestart(the.lab, "bulkhead-relay", "bulkheadd");
		await before.ended();
		await eventually("the screen", async () => (await screen())?.socketPath);
		await awaitText(await lookAt(socket()));
		await awaitText(await lookAt(`TCP:127.0.0.1:${PORT}`, { password: "secret" }));
	});

	it("is refused to the whole network without a password", async () => {
		const { error } = await createRefused(the.lab, TINY, 'name="open"', ...SCREEN, "vnc=1", 'vnclisten="0.0.0.0"');
		expect(error).toMatchObject({ code: "screen-refused" });
	});
});
