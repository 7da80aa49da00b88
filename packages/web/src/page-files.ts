import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** A file that browsers may have. */
export interface PageFile {
	path: string;
	/** Its media type. */
	type: string;
}

const TYPES: Readonly<Record<string, string>> = {
	".html": "text/html; charset=utf-8",
	".css": "text/css; charset=utf-8",
	".js": "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
};

const PLAIN_TEXT = "text/plain; charset=utf-8";

/** What of noVNC a browser asks for. */
const NOVNC_PARTS: readonly string[] = ["core", "vendor"];
/** Who wrote it, and under which terms it goes with us. */
const NOVNC_CREDITS: readonly string[] = ["AUTHORS", "LICENSE.txt", "docs/LICENSE.MPL-2.0", "vendor/pako/LICENSE"];

/** Where the page's own files and noVNC's are: beside an installed daemon, or in the sources. */
function pageFolders(): { page: string; novnc: string } {
	const here = dirname(fileURLToPath(import.meta.url));
	const installed = join(here, "screen");
	if (existsSync(installed)) return { page: installed, novnc: join(installed, "novnc") };
	const page = [join(here, "../page"), join(here, "../../page")].find((folder) =>
		existsSync(join(folder, "screen.html")),
	);
	const rfb = createRequire(import.meta.url).resolve("@novnc/novnc");
	return { page: page ?? installed, novnc: join(dirname(rfb), "..") };
}

/**
 * Every file that the page consists of, by its path below the page's folder ("screen.js", "novnc/core/rfb.js"). The list is
 * made once: a request names an entry of it, never a path. @throws Error when the files are not there
 */
export async function findPageFiles(): Promise<ReadonlyMap<string, PageFile>> {
	const { page, novnc } = pageFolders();
	const files = new Map<string, PageFile>();
	const add = (name: string, path: string): void => {
		const type = TYPES[extname(name)];
		if (type !== undefined) files.set(name, { path, type });
	};
	for (const entry of await readdir(page, { withFileTypes: true }))
		if (entry.isFile()) add(entry.name, join(page, entry.name));
	for (const name of NOVNC_CREDITS) files.set(`novnc/${name}`, { path: join(novnc, name), type: PLAIN_TEXT });
	for (const part of NOVNC_PARTS)
		for (const entry of await readdir(join(novnc, part), { recursive: true, withFileTypes: true })) {
			const path = join(entry.parentPath, entry.name);
			if (entry.isFile()) add(`novnc${path.slice(novnc.length)}`, path);
		}
	return files;
}
