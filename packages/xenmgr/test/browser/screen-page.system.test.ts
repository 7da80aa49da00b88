import { mkdir } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname } from "node:path";
import type { Frame } from "@bulkhead/screen";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { dial } from "../sim/dial-channel.ts";
import { SimWorld } from "../sim/sim-world.ts";
import { GREETING } from "./boot-sector.ts";
import { LocalQemu } from "./local-qemu.ts";
import { openChromium, ScreenPage } from "./page-driver.ts";

const PATIENCE = { timeout: 30_000, interval: 100 };

let browser: Browser;
beforeAll(async () => {
	browser = await openChromium();
});
afterAll(() => browser.close());

async function freePort(): Promise<number> {
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const { port } = server.address() as { port: number };
	await new Promise((resolve) => server.close(resolve));
	return port;
}

interface Stage {
	world: SimWorld;
	page: ScreenPage;
	qemu: LocalQemu;
	/** Another QEMU in its place, as after a reboot. */
	restart(): Promise<void>;
}

/** The whole daemon on a simulated host, and a real QEMU in the relay's place. */
async function setStage(config: (world: SimWorld) => string = (world) => world.hvm("web")): Promise<Stage> {
	const address = { host: "127.0.0.1", port: await freePort(), isLoopback: true };
	const world = await SimWorld.start({ browsers: { address } });
	await world.create(config(world));
	const { socketPath } = await world.client.screen("web");
	await mkdir(dirname(socketPath), { recursive: true });
	const start = (): Promise<LocalQemu> => LocalQemu.start({ directory: world.directory, screen: socketPath });
	const page = await ScreenPage.open(browser);
	const stage: Stage = {
		world,
		page,
		qemu: await start(),
		restart: async () => {
			await stage.qemu[Symbol.asyncDispose]();
			await page.awaitState(/trying again|Connecting/);
			stage.qemu = await start();
		},
	};
	onTestFinished(async () => {
		await page.page.context().close();
		await stage.qemu[Symbol.asyncDispose]();
	});
	return stage;
}

async function visit({ world, page }: Stage): Promise<void> {
	await page.visit((await world.client.inviteToScreen("web")).url);
	await page.awaitState(/^Connected$/);
}

/** How many pixels of the browser's differ from QEMU's own; undefined: another size, or none yet. */
async function difference({ page, qemu }: Stage): Promise<number | undefined> {
	const [seen, true_] = [await page.frame(), await qemu.screendump()];
	return seen && seen.width === true_.width && seen.height === true_.height ? differing(seen, true_) : undefined;
}

function differing({ rgb: one }: Frame, { rgb: other }: Frame): number {
	let count = 0;
	for (let at = 0; at < one.length; at += 3)
		if (one[at] !== other[at] || one[at + 1] !== other[at + 1] || one[at + 2] !== other[at + 2]) count++;
	return count;
}

const coloursOf = ({ rgb }: Frame): number =>
	new Set(Array.from({ length: rgb.length / 3 }, (_, at) => rgb.subarray(3 * at, 3 * at + 3).toString())).size;

/** Pixels that are not black. */
const lit = (frame: Frame | undefined): number => {
	if (!frame) return 0;
	return differing(frame, { ...frame, rgb: new Uint8Array(frame.rgb.length) });
};

/** Until the picture has stood still, as QEMU has it. */
async function awaitSame(stage: Stage): Promise<Frame> {
	await expect.poll(() => difference(stage), PATIENCE).toBe(0);
	const frame = await stage.page.frame();
	if (!frame) expect.fail();
	return frame;
}

/** The boot sector has printed its greeting, and then what was typed. */
async function awaitText(stage: Stage, typed = ""): Promise<Frame> {
	await expect.poll(() => stage.qemu.text(), PATIENCE).toBe(typed === "" ? GREETING : `${GREETING}\n${typed}`);
	return awaitSame(stage);
}

describe("noVNC in Chromium", () => {
	test("shows text and graphics as QEMU has them, and what is typed", async () => {
		const stage = await setStage();
		const { page, qemu } = stage;
		await visit(stage);
		expect(new URL(page.page.url()).hash).toBe("");
		expect(await page.page.title()).toBe("web – screen");

		const greeting = await awaitText(stage);
		expect([greeting.width, greeting.height]).toEqual([720, 400]);
		await page.click("screen");
		await page.type("Hello, World");
		const typed = await awaitText(stage, "Hello, World");
		expect(lit(typed)).toBeGreaterThan(lit(greeting));

		await page.press("Enter");
		await expect.poll(async () => (await qemu.screendump()).width, PATIENCE).toBe(640);
		await expect.poll(async () => coloursOf(await qemu.screendump()), PATIENCE).toBeGreaterThan(100);
		const picture = await awaitSame(stage);
		expect([picture.width, picture.height]).toEqual([640, 400]);
		expect(coloursOf(picture)).toBeGreaterThan(100);

		await page.click("ctrl-alt-del");
		await awaitText(stage);
		expect(page.complaints).toEqual([]);
		expect(page.foreign).toEqual([]);
	});

	test("types a clipboard's text, sends keys, and leaves the screen by Shift-F8", async () => {
		const stage = await setStage();
		const { page } = stage;
		await visit(stage);
		await awaitText(stage);
		await page.click("clipboard-open");
		expect(await page.page.textContent("#clipboard-note")).toContain("no channel org.bulkhead.agent.v1");
		const text = "The Quick Brown Fox, 0123456789 -=[];'`\\,./ ~!@#$%^&*()_+{}:\"|<>?";
		await page.page.fill("#clipboard-text", text);
		await page.click("clipboard-type");
		await awaitText(stage, text);
		await page.click("screen");
		await page.press("Shift+F8");
		expect(await page.focused()).toBe("guest");
		await page.type("not for the guest");
		await page.page.selectOption("#keys", { label: "Esc" });
		await page.click("keys-send");
		await awaitText(stage, `${text}\u001b`);
		expect(page.complaints).toEqual([]);
	});

	test("exchanges clipboards with the guest through its channel", async () => {
		const channel = (world: SimWorld): string =>
			`channel = ['name=org.bulkhead.agent.v1,connection=socket,path=${world.directory}/agent.sock']`;
		const stage = await setStage((world) => world.hvm("web", channel(world)));
		const { page } = stage;
		(await dial(stage.world, `${stage.world.directory}/agent.sock`)).destroy(); // The guest's end is there.
		await visit(stage);
		await page.click("clipboard-open");
		const text = "Gr\u00fc\u00dfe, \u4e16\u754c\nand a line";
		await page.page.fill("#clipboard-text", text);
		await page.click("clipboard-give");
		// The simulated guest says what it hears: so it comes back as text of its own.
		await page.page.locator("#clipboard-note", { hasText: "Copied in the guest." }).waitFor({ timeout: 20_000 });
		expect(await page.page.inputValue("#clipboard-text")).toBe(text);
		expect(page.complaints).toEqual([]);
	});

	test("comes back by itself when the screen does, and tells when its session is over", async () => {
		const stage = await setStage();
		const { world, page } = stage;
		await visit(stage);
		await awaitText(stage);
		await stage.restart();
		await page.awaitState(/^Connected$/);
		await awaitText(stage);

		// The same tab, loaded anew.
		await page.page.reload();
		await page.awaitState(/^Connected$/);
		await awaitText(stage);

		// Another daemon knows nothing of the session, and says what to do.
		await world.daemon.stop();
		await page.awaitState(/trying again|Connecting/);
		await world.startDaemon();
		await page.awaitState(/bulkhead screen GUEST/);
		expect(await page.page.isVisible("#reconnect")).toBe(true);
		await visit(stage);
		await awaitText(stage);
		await world.client.destroy("web");
		await page.awaitState(/The guest is gone/);
	});

	test("used URLs, and URLs of nobody's, open nothing", async () => {
		const stage = await setStage();
		const { url } = await stage.world.client.inviteToScreen("web");
		await stage.page.visit(url);
		await stage.page.awaitState(/^Connected$/);
		const other = await ScreenPage.open(browser);
		for (const useless of [url, url.replace(/#.*/, ""), url.replace(/#.*/, `#${"x".repeat(43)}`)]) {
			await other.visit("about:blank");
			await other.visit(useless);
			await other.awaitState(/bulkhead screen GUEST/);
			expect(await other.page.locator("#screen canvas").count()).toBe(0);
		}
		expect(await stage.page.state()).toBe("Connected");
		await other.page.context().close();
	});
});
