import { createServer, type Server } from "node:net";
import type { Frame } from "@bulkhead/screen";
import { decodePng } from "@bulkhead/screen/testing";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openChromium, ScreenPage } from "../../../packages/xenmgr/test/browser/page-driver.ts";
import type { Lab } from "../../src/lab.ts";
import { SerialSession } from "../../src/serial-session.ts";
import { bulkhead, eventually, useLab } from "../xen/support/dom0.ts";
import { createGuest, TINY } from "../xen/support/guests.ts";
import { leaveNothing } from "../xen/support/leave-nothing.ts";
import { talkToTiny } from "../xen/support/tiny-guest.ts";

/** Of bulkheadd in dom0: lab/dom0-services/bulkheadd/run. */
const DOM0_PORT = 8006;
const PATIENCE = { timeout: 60_000, interval: 500 };

/** A port of this machine's whose connections go to dom0's loopback. */
async function forwardToDom0(lab: Lab): Promise<{ server: Server; port: number }> {
	const server = createServer((socket) => {
		const far = lab.spawn(["socat", "-", `TCP:127.0.0.1:${DOM0_PORT}`]);
		socket.on("error", () => socket.destroy());
		if (!far.stdin || !far.stdout) throw new TypeError("It has pipes");
		far.stdin.on("error", () => socket.destroy());
		socket.pipe(far.stdin);
		far.stdout.pipe(socket);
		socket.once("close", () => far.kill());
		far.once("exit", () => socket.destroy());
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	return { server, port: (server.address() as { port: number }).port };
}

/** A picture by the installed command in dom0, as QEMU in the stub domain sends it. */
async function screenshot(lab: Lab, name: string): Promise<ReturnType<typeof decodePng>> {
	const { stdout, stderr, exitCode } = await lab.exec(["/usr/bin/bulkhead", "screenshot", name, "-"], {
		timeoutMs: 60_000,
	});
	if (exitCode !== 0) throw new Error(`screenshot ended with ${exitCode}: ${stderr}`);
	return decodePng(stdout);
}

/** What the tiny guest's command `g` paints, as 0xRRGGBB. */
const paintedAt = (x: number, y: number): number => (((x ^ y) & 0xff) << 16) | ((y & 0xff) << 8) | (x & 0xff);

function colourAt(frame: Frame | undefined, x: number, y: number): number | undefined {
	if (!frame || x >= frame.width || y >= frame.height) return undefined;
	const [red = 0, green = 0, blue = 0] = frame.rgb.subarray(3 * (y * frame.width + x));
	return (red << 16) | (green << 8) | blue;
}

/** Runs in the page: `window.keyToPixel` becomes the milliseconds from its next key until a pixel of the picture has a colour. */
const watchForKey = (
	x: number,
	y: number,
	colour: number,
): string => `void (window.keyToPixel = new Promise((resolve) => {
	const context = document.querySelector("#screen canvas").getContext("2d");
	let pressedAt;
	document.addEventListener("keydown", () => { pressedAt = performance.now(); }, { capture: true, once: true });
	const look = () => {
		const [red, green, blue] = context.getImageData(${x}, ${y}, 1, 1).data;
		if (pressedAt !== undefined && red * 65536 + green * 256 + blue === ${colour}) resolve(performance.now() - pressedAt);
		else requestAnimationFrame(look);
	};
	look();
}))`;

describe("a guest's screen in a browser", () => {
	const the = useLab();
	let browser: Browser;
	let forward: { server: Server; port: number };

	beforeAll(async () => {
		browser = await openChromium();
		forward = await forwardToDom0(the.lab);
	});
	leaveNothing(the);
	afterAll(async () => {
		await browser?.close();
		forward?.server.close();
	});

	async function visitScreen(name: string): Promise<ScreenPage> {
		const { url } = await bulkhead<{ url: string }>(the.lab, "screen", name);
		const page = await ScreenPage.open(browser);
		await page.visit(url.replace(`:${DOM0_PORT}/`, `:${forward.port}/`));
		await page.awaitState(/^Connected$/);
		return page;
	}

	it("is drawn by noVNC as its stub domain's QEMU has it, and comes back after a reboot", async () => {
		const { domid } = await createGuest(the.lab, TINY, 'vga="stdvga"', "videoram=16");
		const page = await visitScreen("tiny");
		// The firmware has printed by the time that the guest's boot sector runs.
		const same = async (): Promise<boolean> => {
			const [seen, shot] = [await page.frame(), await screenshot(the.lab, "tiny")];
			return seen !== undefined && seen.width === shot.width && Buffer.compare(seen.rgb, shot.rgb) === 0;
		};
		await expect.poll(same, PATIENCE).toBe(true);
		expect((await page.frame())?.rgb.some((value) => value > 0)).toBe(true);
		await bulkhead(the.lab, "reboot", "tiny");
		await eventually("the next domain", async () => {
			const guest = await bulkhead<{ domid?: number; phase: string }[]>(the.lab, "list");
			return guest.some((each) => each.phase === "running" && each.domid !== domid) || undefined;
		});
		await page.awaitState(/^Connected$/);
		await expect.poll(same, PATIENCE).toBe(true);
		expect(page.complaints).toEqual([]);
		await page.page.context().close();
	});

	it("is drawn in a graphics mode too, and shows what is typed into the browser", async () => {
		const guest = await createGuest(the.lab, TINY, 'vga="stdvga"', "videoram=16");
		await talkToTiny(the.lab, guest);
		const serial = await SerialSession.open(the.lab, guest, "serial0");
		serial.write("\rg\r");
		await serial.expect(/PAINTED/, 60_000);
		const page = await visitScreen("tiny");
		await expect.poll(async () => colourAt(await page.frame(), 700, 500), PATIENCE).toBe(paintedAt(700, 500));
		const [seen, shot] = [await page.frame(), await screenshot(the.lab, "tiny")];
		expect([shot.width, shot.height]).toEqual([800, 600]);
		expect(Buffer.compare(seen?.rgb ?? Buffer.alloc(0), shot.rgb)).toBe(0);
		await page.click("screen");
		const times: number[] = [];
		for (const key of "abcdefghijklmnopqrst") {
			const colour = (key.charCodeAt(0) * 0x010305) & 0xffffff;
			await page.page.evaluate(watchForKey(400, 300, colour));
			await page.press(key);
			times.push((await page.page.evaluate("window.keyToPixel")) as number);
			await serial.expect(new RegExp(`KEY 000000${key.charCodeAt(0).toString(16)}`), 30_000);
		}
		times.sort((one, other) => one - other);
		console.info(`from a key in the browser to its colour there: ${times.map(Math.round).join(", ")} ms`);
		serial.close();
		expect(page.complaints).toEqual([]);
		await page.page.context().close();
	});

	it("takes keys, and answers to the monitor for people as far as the list goes", async () => {
		await createGuest(the.lab, TINY, 'vga="stdvga"', "videoram=16");
		await bulkhead(the.lab, "sendkey", "tiny", "ret");
		expect(await bulkhead<{ return: string }>(the.lab, "qemu-monitor-command", "tiny", "info status")).toEqual({
			return: expect.stringContaining("running"),
		});
		await expect(bulkhead(the.lab, "qemu-monitor-command", "tiny", "savevm x")).rejects.toThrow("ended with 1");
	});
});
