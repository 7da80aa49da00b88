import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseDeb822Sources, parseSourcesList, renderSourcesList, sourcesForRelease } from "./apt-sources.ts";
import { type RunResult, runProgram } from "./run-program.ts";

const ONE_DAY_MS = 24 * 60 * 60_000;
const UPDATE_TIMEOUT_MS = 10 * 60_000;

/** An apt configuration of our own below one folder: apt then works for an ordinary user and for any release. */
export class AptWorkspace {
	readonly dir: string;
	readonly #config: string;
	readonly #onProgress: (line: string) => void;

	private constructor(dir: string, onProgress: (line: string) => void) {
		this.dir = dir;
		this.#config = join(dir, "apt.conf");
		this.#onProgress = onProgress;
	}

	/** Writes the configuration when it is missing or out of date. */
	static async open(
		dir: string,
		machine: string,
		release: string,
		onProgress: (line: string) => void,
	): Promise<AptWorkspace> {
		const workspace = new AptWorkspace(dir, onProgress);
		for (const part of ["state/lists/partial", "cache/archives/partial", "resolved", "debs"]) {
			await mkdir(join(dir, part), { recursive: true });
		}
		const sources = renderSourcesList(sourcesForRelease(await machineSources(), machine, release));
		const changed = await writeIfDifferent(join(dir, "sources.list"), sources);
		await writeIfDifferent(join(dir, "status"), "");
		await writeIfDifferent(workspace.#config, configText(dir));
		if (changed) await rm(workspace.#stamp, { force: true });
		return workspace;
	}

	get #stamp(): string {
		return join(this.dir, "updated");
	}

	/** Runs one of apt's programs with this configuration. */
	apt(
		program: "apt-get" | "apt-cache",
		args: readonly string[],
		timeoutMs: number,
		cwd: string = this.dir,
	): Promise<RunResult> {
		return runProgram([program, `--config-file=${this.#config}`, ...args], {
			cwd,
			timeoutMs,
			env: { ...process.env, LC_ALL: "C.UTF-8" },
		});
	}

	/** Fetches the package lists when they are older than a day. Offline, lists that exist are good enough. */
	async refreshIfStale(): Promise<void> {
		const ageMs = await stat(this.#stamp).then(
			({ mtimeMs }) => Date.now() - mtimeMs,
			() => Number.POSITIVE_INFINITY,
		);
		if (ageMs < ONE_DAY_MS) return;
		try {
			await this.refresh();
		} catch (error) {
			if (ageMs === Number.POSITIVE_INFINITY) throw error;
			this.#onProgress("package lists could not be refreshed; going on with those of an earlier day");
		}
	}

	/** Fetches the package lists now and forgets what was resolved from the old ones. */
	async refresh(): Promise<void> {
		this.#onProgress("fetching Debian's package lists");
		await this.apt("apt-get", ["update", "-o", "APT::Update::Error-Mode=any"], UPDATE_TIMEOUT_MS);
		await rm(join(this.dir, "resolved"), { recursive: true, force: true });
		await mkdir(join(this.dir, "resolved"), { recursive: true });
		await writeFile(this.#stamp, "");
	}
}

/** Read after the machine's own apt.conf, which keeps its say on proxies and access. */
function configText(dir: string): string {
	const settings: Record<string, string> = {
		"Dir::State": join(dir, "state"),
		"Dir::State::lists": join(dir, "state/lists"),
		"Dir::State::status": join(dir, "status"),
		"Dir::Cache": join(dir, "cache"),
		"Dir::Cache::archives": join(dir, "cache/archives"),
		"Dir::Cache::pkgcache": "pkgcache.bin",
		"Dir::Cache::srcpkgcache": "srcpkgcache.bin",
		"Dir::Etc::sourcelist": join(dir, "sources.list"),
		"Dir::Etc::sourceparts": "/dev/null",
		"Dir::Etc::preferences": "/dev/null",
		"Dir::Etc::preferencesparts": "/dev/null",
		"APT::Sandbox::User": "root",
		"APT::Default-Release": "",
		"APT::Install-Recommends": "false",
		"Acquire::Languages": "none",
		"Acquire::Retries": "2",
	};
	const lines = Object.entries(settings).map(([name, value]) => `${name} "${value}";`);
	// The machine's hooks act on the machine's own lists and caches: none of our business.
	return [...["APT::Update", "DPkg"].map((scope) => `#clear ${scope};`), ...lines, ""].join("\n");
}

async function machineSources(): Promise<ReturnType<typeof parseSourcesList>> {
	const { stdout } = await runProgram(["apt-config", "dump", "--format", "%f=%v%n"], { timeoutMs: 30_000 });
	const config = new Map(
		stdout
			.toString("utf8")
			.split("\n")
			.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)] as const),
	);
	const etc = join(config.get("Dir") ?? "/", config.get("Dir::Etc") ?? "etc/apt");
	const listPath = join(etc, config.get("Dir::Etc::sourcelist") ?? "sources.list");
	const partsDir = join(etc, config.get("Dir::Etc::sourceparts") ?? "sources.list.d");
	const found = parseSourcesList(await readFile(listPath, "utf8").catch(() => ""));
	for (const name of (await readdir(partsDir).catch((): string[] => [])).sort((a, b) => (a < b ? -1 : 1))) {
		if (name.endsWith(".list")) found.push(...parseSourcesList(await readFile(join(partsDir, name), "utf8")));
		if (name.endsWith(".sources")) found.push(...parseDeb822Sources(await readFile(join(partsDir, name), "utf8")));
	}
	return found;
}

async function writeIfDifferent(path: string, text: string): Promise<boolean> {
	const before = await readFile(path, "utf8").catch(() => undefined);
	if (before === text) return false;
	await writeFile(path, text);
	return true;
}
