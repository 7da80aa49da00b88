import { createHash, randomBytes } from "node:crypto";
import { access, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BulkheadError } from "@bulkhead/base";
import { AptWorkspace } from "./apt-workspace.ts";
import { ContentCache } from "./content-cache.ts";
import { machineRelease } from "./debian-release.ts";
import { FileLock } from "./file-lock.ts";
import { ProgramFailedError } from "./run-program.ts";
import { unpackDeb } from "./unpack-deb.ts";

export interface DebianPackagesOptions {
	/** Code name, e.g. `bookworm`. */
	release: string;
	cache?: ContentCache;
	onProgress?: (line: string) => void;
}

export interface PackageVersion {
	name: string;
	/** Debian version with its epoch: `2:7.2+dfsg-7`. */
	version: string;
	/** File name of the package as apt stores it. */
	file: string;
	sizeBytes: number;
}

export interface ResolveOptions {
	/** Also everything that the packages depend on, without what they only recommend. False unless told. */
	dependencies?: boolean;
}

const APT_TIMEOUT_MS = 120_000;
const DOWNLOAD_TIMEOUT_MS = 30 * 60_000;
const LOCK_TIMEOUT_MS = 40 * 60_000;

/** A package or version that Debian does not have. `fields`: names, release. */
export class PackageNotFoundError extends BulkheadError {}

/** Debian's packages of one release, fetched and unpacked into the cache without root and without installing. */
export class DebianPackages {
	readonly release: string;
	readonly #apt: AptWorkspace;
	readonly #cache: ContentCache;
	readonly #onProgress: (line: string) => void;

	private constructor(release: string, apt: AptWorkspace, cache: ContentCache, onProgress: (line: string) => void) {
		this.release = release;
		this.#apt = apt;
		this.#cache = cache;
		this.#onProgress = onProgress;
	}

	/** Mirrors and keys come from the machine's own apt sources. @throws InvalidInputError when they name no Debian archive */
	static async open(options: DebianPackagesOptions): Promise<DebianPackages> {
		const { release, cache = new ContentCache(), onProgress = () => {} } = options;
		const machine = await machineRelease();
		const apt = await AptWorkspace.open(join(cache.root, "apt", release), machine, release, onProgress);
		return new DebianPackages(release, apt, cache, onProgress);
	}

	/** The exact packages that these names mean today, sorted by name. @throws PackageNotFoundError */
	async versions(names: readonly string[], options: ResolveOptions = {}): Promise<PackageVersion[]> {
		await using _lock = await this.#lock();
		return this.#resolve(names, options);
	}

	/** Makes sure that the packages' files are in the cache. @returns what was resolved, with `path` of each file */
	async fetch(names: readonly string[], options: ResolveOptions = {}): Promise<(PackageVersion & { path: string })[]> {
		await using _lock = await this.#lock();
		return this.#fetchLocked(names, options);
	}

	/**
	 * The packages' files in one tree with merged /usr (`bin`, `lib`, `lib64`, `sbin` are links), documentation left out.
	 * The tree belongs to the cache: read it, never write to it.
	 */
	async unpack(names: readonly string[], options: ResolveOptions = {}): Promise<string> {
		const packages = await this.versions(names, options);
		const list = (of: readonly PackageVersion[]): string =>
			of.map(({ name, version }) => `${name}=${version}`).join(" ");
		const found = await this.#cache.find("debian-tree", { format: 1, packages: list(packages) });
		if (found) return found;
		// Fetching may resolve anew when a version has vanished from the mirror, hence the second key.
		const fetched = await this.fetch(names, options);
		return this.#cache.cached("debian-tree", { format: 1, packages: list(fetched) }, async (dir) => {
			this.#onProgress(`unpacking ${fetched.length} packages`);
			for (const { path } of fetched) await unpackDeb(path, dir);
		});
	}

	#lock(): Promise<FileLock> {
		return FileLock.acquire(join(this.#apt.dir, "lock"), { timeoutMs: LOCK_TIMEOUT_MS });
	}

	async #resolve(names: readonly string[], { dependencies = false }: ResolveOptions): Promise<PackageVersion[]> {
		await this.#apt.refreshIfStale();
		const wanted = [...new Set(names)].sort();
		const memoKey = createHash("sha256")
			.update(JSON.stringify([wanted, dependencies]))
			.digest("hex")
			.slice(0, 32);
		const memo = join(this.#apt.dir, "resolved", `${memoKey}.json`);
		const known = await readFile(memo, "utf8").catch(() => undefined);
		if (known) return JSON.parse(known) as PackageVersion[];
		const args = dependencies
			? ["install", "--print-uris", "--yes", "--no-install-recommends", ...wanted]
			: ["download", "--print-uris", ...wanted];
		const answer = await this.#apt.apt("apt-get", args, APT_TIMEOUT_MS).catch((cause: unknown) => {
			if (!(cause instanceof ProgramFailedError)) throw cause;
			throw new PackageNotFoundError(
				"package-not-found",
				`apt cannot resolve ${wanted.join(", ")} in ${this.release}`,
				{
					cause,
					fields: { names: wanted, release: this.release },
					remedy: "Check the names against the release, and that its mirror answers",
				},
			);
		});
		const packages = parseUris(answer.stdout.toString("utf8"));
		await writeFile(memo, JSON.stringify(packages));
		return packages;
	}

	async #fetchLocked(
		names: readonly string[],
		options: ResolveOptions,
		retry = true,
	): Promise<(PackageVersion & { path: string })[]> {
		const packages = await this.#resolve(names, options);
		const pool = join(this.#apt.dir, "debs");
		const missing: PackageVersion[] = [];
		for (const each of packages) if (!(await exists(join(pool, each.file)))) missing.push(each);
		if (missing.length > 0) {
			const mebibytes = Math.ceil(missing.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) / (1 << 20));
			this.#onProgress(`downloading ${missing.length} packages of ${this.release}, ${mebibytes} MiB`);
			try {
				await this.#download(missing, pool);
			} catch (error) {
				// The lists are older than the mirror: a version was replaced since.
				if (!retry || !(error instanceof ProgramFailedError)) throw error;
				await this.#apt.refresh();
				return this.#fetchLocked(names, options, false);
			}
		}
		return packages.map((each) => ({ ...each, path: join(pool, each.file) }));
	}

	/** apt checks each file against the signed lists; only complete files reach the pool. */
	async #download(packages: readonly PackageVersion[], pool: string): Promise<void> {
		const temporary = `${pool}.part-${randomBytes(4).toString("hex")}`;
		await mkdir(temporary);
		try {
			const exact = packages.map(({ name, version }) => `${name}=${version}`);
			await this.#apt.apt("apt-get", ["download", ...exact], DOWNLOAD_TIMEOUT_MS, temporary);
			for (const { file } of packages) await rename(join(temporary, file), join(pool, file));
		} finally {
			await rm(temporary, { recursive: true, force: true });
		}
	}
}

/** Lines `'uri' name_version_arch.deb size hash` of `apt-get --print-uris`; the epoch's colon is written `%3a`. */
export function parseUris(text: string): PackageVersion[] {
	const packages: PackageVersion[] = [];
	for (const line of text.split("\n")) {
		const match = line.match(/^'[^']+' (([a-z0-9][a-z0-9+.-]*)_([^_\s]+)_[a-z0-9]+\.deb) (\d+)/);
		if (!match) continue;
		const [, file = "", name = "", version = "", size = "0"] = match;
		packages.push({ name, version: decodeURIComponent(version), file, sizeBytes: Number(size) });
	}
	return packages.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function exists(path: string): Promise<boolean> {
	return access(path).then(
		() => true,
		() => false,
	);
}
