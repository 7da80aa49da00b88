import type { Frame } from "@bulkhead/screen";
import { type Browser, chromium, type Page } from "playwright-core";

const PROGRAM = "/usr/bin/chromium";
/** Root may not have the sandbox; the rest keeps it from talking to anybody but us. */
const FLAGS = [
	...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
	...["--disable-component-update", "--disable-sync"],
];

/** Runs in the page. */
const READ_CANVAS = `(() => {
	const canvas = document.querySelector("#screen canvas");
	if (!canvas || canvas.width === 0) return null;
	const { width, height } = canvas;
	const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
	let text = "";
	for (let at = 0; at < data.length; at += 4) text += String.fromCharCode(data[at], data[at + 1], data[at + 2]);
	return { width, height, base64: btoa(text) };
})()`;

export function openChromium(): Promise<Browser> {
	return chromium.launch({ executablePath: PROGRAM, args: FLAGS });
}

/** The screen's page in a tab of its own: what a person sees there and does. */
export class ScreenPage {
	readonly page: Page;
	/** What the browser complained of. */
	readonly complaints: string[] = [];
	readonly #foreign: string[] = [];

	static async open(browser: Browser): Promise<ScreenPage> {
		// A context of its own: no secret of another tab's.
		return new ScreenPage(await (await browser.newContext({ viewport: { width: 900, height: 620 } })).newPage());
	}

	private constructor(page: Page) {
		this.page = page;
		page.on("pageerror", (error) => this.complaints.push(error.message));
		page.on("console", (message) => {
			if (/Content Security Policy|Refused/.test(message.text())) this.complaints.push(message.text());
		});
		page.on("request", (request) => {
			const { hostname, protocol } = new URL(request.url());
			if (protocol !== "data:" && protocol !== "blob:" && hostname !== "127.0.0.1") this.#foreign.push(request.url());
		});
	}

	/** Requests to anybody else. */
	get foreign(): readonly string[] {
		return this.#foreign;
	}

	async visit(url: string): Promise<void> {
		await this.page.goto(url);
	}

	/** The state line. */
	async state(): Promise<string> {
		return (await this.page.textContent("#state")) ?? "";
	}

	async awaitState(pattern: RegExp): Promise<void> {
		await this.page.locator("#state", { hasText: pattern }).waitFor({ timeout: 20_000 });
	}

	/** What has the focus. */
	async focused(): Promise<unknown> {
		return this.page.evaluate("document.activeElement?.id");
	}

	async click(id: string): Promise<void> {
		await this.page.click(`#${id}`);
	}

	/** Every pixel of the picture, as the browser has drawn it. */
	async frame(): Promise<Frame | undefined> {
		const drawn = (await this.page.evaluate(READ_CANVAS)) as { width: number; height: number; base64: string } | null;
		if (!drawn) return undefined;
		return { width: drawn.width, height: drawn.height, rgb: Buffer.from(drawn.base64, "base64") };
	}

	/** As fingers do, on whatever has the focus. */
	async type(text: string): Promise<void> {
		for (const char of text)
			await this.page.keyboard.press(/[A-Z]/.test(char) ? `Shift+${char}` : char === " " ? "Space" : char, {
				delay: 20,
			});
	}

	async press(key: string): Promise<void> {
		await this.page.keyboard.press(key);
	}
}
