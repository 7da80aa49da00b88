import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ContentCache, type DebianPackages, type PackageVersion, runProgram } from "@bulkhead/image";
import { compileKernel } from "./compile-kernel.ts";
import { editKernelSource, KERNEL_EDITS } from "./kernel-edits.ts";
import { fetchKernelSource, unpackKernelSource } from "./kernel-source.ts";

/** A kernel of our own configuration, built from Debian's source, in the cache. */
export interface MinimalKernel {
	/** The release string, e.g. `6.1.192-bulkhead`. */
	version: string;
	/** The source package. */
	package: PackageVersion;
	/** ELF kernel without symbols; `System.map` and `config` lie beside it. */
	vmlinuxPath: string;
}

export interface MinimalKernelOptions {
	debian: DebianPackages;
	cache: ContentCache;
	onProgress?: (line: string) => void;
	signal?: AbortSignal;
}

/** The configuration, explained line by line. */
export const KERNEL_FRAGMENT: string = fileURLToPath(new URL("../kernel/fragment.config", import.meta.url));

/** Raise when the way of building changes. */
const FORMAT = 1;
const TOOL_TIMEOUT_MS = 60_000;

/**
 * The kernel for the release's sources and this machine's compiler, from the cache or built, which takes minutes.
 * @throws KernelConfigError, KernelBuildError, CancelledError
 */
export async function buildMinimalKernel(options: MinimalKernelOptions): Promise<MinimalKernel> {
	const { debian, cache, onProgress = () => {}, signal } = options;
	const source = await fetchKernelSource(debian);
	const fragment = await readFile(KERNEL_FRAGMENT, "utf8");
	const inputs = {
		format: FORMAT,
		source: `${source.package.name}=${source.package.version}`,
		fragment,
		edits: JSON.stringify(KERNEL_EDITS),
		compiler: (await runProgram(["gcc", "-v"], { timeoutMs: TOOL_TIMEOUT_MS })).stderr,
		linker: (await runProgram(["ld", "--version"], { timeoutMs: TOOL_TIMEOUT_MS })).stdout.toString("utf8"),
	};
	const build = async (out: string): Promise<void> => {
		onProgress(`building the stub domain's kernel from ${source.package.name}: once, a few minutes`);
		const began = performance.now();
		const tree = join(out, "source");
		await mkdir(tree);
		await unpackKernelSource(source, tree, signal);
		await editKernelSource(tree);
		await compileKernel(tree, { fragment, onProgress, signal });
		await keepResults(tree, out);
		await rm(tree, { recursive: true });
		onProgress(`built the stub domain's kernel in ${Math.round((performance.now() - began) / 1000)} s`);
	};
	const dir = await cache.cached("stub-kernel", inputs, build, signal);
	return {
		version: await readFile(join(dir, "version"), "utf8"),
		package: source.package,
		vmlinuxPath: join(dir, "vmlinux"),
	};
}

async function keepResults(tree: string, out: string): Promise<void> {
	// A PV domain is built from the program headers and Xen's notes: symbols would only make the file larger.
	const strip = ["strip", "--strip-all", "--remove-section=.comment", "-o", join(out, "vmlinux"), "vmlinux"] as const;
	await runProgram(strip, { cwd: tree, timeoutMs: TOOL_TIMEOUT_MS });
	await copyFile(join(tree, "System.map"), join(out, "System.map"));
	await copyFile(join(tree, ".config"), join(out, "config"));
	const release = await readFile(join(tree, "include/config/kernel.release"), "utf8");
	await writeFile(join(out, "version"), release.trim());
}
