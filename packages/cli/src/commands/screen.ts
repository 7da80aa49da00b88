import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BulkheadError, delay } from "@bulkhead/base";
import type { CommandContext } from "../command-context.ts";
import { findProgram } from "../screen/find-program.ts";

const OPENERS = ["xdg-open", "sensible-browser", "x-www-browser"];
/** A browser that starts may need so long to read a file. */
const READ_MS = 20_000;
const LOOK_MS = 100;

/** Prints a URL by which one browser sees a guest's screen, once; or hands it to the user's browser. */
export async function screen(
	context: CommandContext,
	ref: string,
	{ open = false }: { open?: boolean },
): Promise<void> {
	const program = open ? await findBrowser(context) : undefined;
	const invitation = await context.client.inviteToScreen(ref);
	const { url, expiresInSeconds } = invitation;
	if (program !== undefined) await openBrowser(context, program, url);
	if (context.json) context.printJson(invitation);
	else if (!open) {
		context.print(url);
		context.note(`For one browser, within ${expiresInSeconds} s. ${howToReach(new URL(url))}`);
	}
}

function howToReach({ hostname, port }: URL): string {
	if (hostname !== "127.0.0.1" && hostname !== "[::1]") return "";
	return `From another machine: ssh -L ${port}:${hostname}:${port} HOST, then the same URL there`;
}

async function findBrowser({ io }: CommandContext): Promise<string> {
	const wanted = io.env.BROWSER === undefined || io.env.BROWSER === "" ? OPENERS : [io.env.BROWSER];
	const program = await findProgram(wanted, io);
	if (program !== undefined) return program;
	throw new BulkheadError("no-browser", "There is nothing here that opens a browser", {
		remedy: "Install it: apt-get install xdg-utils; or set BROWSER; or leave --open out and open the URL yourself",
	});
}

/** Arguments of programs are everybody's to read: the URL goes by a file of this user's, for as long as it takes. */
async function openBrowser({ io, note }: CommandContext, program: string, url: string): Promise<void> {
	const directory = await mkdtemp(join(tmpdir(), "bulkhead-screen-"));
	try {
		const file = join(directory, "screen.html");
		await writeFile(file, redirectTo(url), { mode: 0o600 });
		const before = (await stat(file)).atimeMs;
		const code = await io.runProgram(program, [file]);
		if (code !== 0) throw new BulkheadError("no-browser", `${program} ended with ${code}`);
		const limit = performance.now() + READ_MS;
		while ((await stat(file)).atimeMs === before && performance.now() < limit) await delay(LOOK_MS);
		note("Opened in the browser");
	} finally {
		await rm(directory, { recursive: true, force: true });
	}
}

/** The URL's characters need no escape in HTML: the daemon has encoded the guest's name. */
function redirectTo(url: string): string {
	return `<!doctype html><meta name="referrer" content="no-referrer"><meta http-equiv="refresh" content="0;url=${url.replace(/["&<>']/g, "")}">`;
}
