import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { type CpioEntry, cacheRoot, entriesFromTree, hashFile } from "@bulkhead/image";
import { existingPrograms, pageEntries, programEntries, REPOSITORY } from "./bundles.ts";

export interface OverlayContext {
	release: string;
	/** Tree with libxen-dev and its libraries. */
	sysroot: string;
	onProgress: (line: string) => void;
	/** Ends what takes minutes. */
	signal?: AbortSignal;
	/**
	 * Called for a part of the project that does not build; dom0 then goes without it. Without this function such an
	 * error ends everything.
	 */
	onBroken?: (part: string, error: unknown) => void;
}

interface NativeBuild {
	buildNative(options: {
		sysroot: string;
		outDir?: string;
		onProgress: (line: string) => void;
	}): Promise<{ files: string[] }>;
}
interface StubBuild {
	buildStubImage(options: {
		release: string;
		onProgress: (line: string) => void;
		signal?: AbortSignal;
	}): Promise<{ kernel: string; ramdisk: string }>;
}
interface GuestBuild {
	buildGuestImages(options: {
		release: string;
		onProgress: (line: string) => void;
	}): Promise<{ files: Record<string, string> }>;
}

/** Everything of this project that dom0 gets on top of Debian's packages. Each part builds only what changed. */
export async function projectEntries(context: OverlayContext): Promise<CpioEntry[]> {
	const dom0 = await entriesFromTree(join(REPOSITORY, "lab"), "dom0", "/");
	const attempt = async (part: string, build: () => Promise<CpioEntry[]>): Promise<CpioEntry[]> => {
		try {
			return await build();
		} catch (error) {
			if (!context.onBroken) throw error;
			context.onBroken(part, error);
			return [];
		}
	};
	const programs = await existingPrograms();
	const parts = await Promise.all([
		...programs.map((program) => attempt(program.entry, () => programEntries(program))),
		attempt("the page for browsers", pageEntries),
		attempt("native addons", () => nativeEntries(context)),
		attempt("stub domain image", () => stubEntries(context)),
		attempt("guest images", () => guestEntries(context)),
	]);
	return [...dom0.filter(({ path }) => path !== "/"), ...parts.flat()];
}

async function nativeEntries({ release, sysroot, onProgress }: OverlayContext): Promise<CpioEntry[]> {
	const module = await importIfPresent<NativeBuild>("@bulkhead/hypervisor/build", "buildNative");
	if (!module) return [];
	const outDir = join(cacheRoot(), "native", release);
	await mkdir(outDir, { recursive: true });
	const { files } = await module.buildNative({ sysroot, outDir, onProgress });
	return files.map((file) => fileEntry(`/usr/lib/bulkhead/native/${basename(file)}`, file, 0o755));
}

async function stubEntries({ release, onProgress, signal }: OverlayContext): Promise<CpioEntry[]> {
	const module = await importIfPresent<StubBuild>("@bulkhead/stubdom", "buildStubImage");
	if (!module) return [];
	const { kernel, ramdisk } = await module.buildStubImage({ release, onProgress, signal });
	return [
		fileEntry("/usr/lib/bulkhead/stubdom/vmlinux", kernel),
		fileEntry("/usr/lib/bulkhead/stubdom/rootfs.cpio", ramdisk),
	];
}

async function guestEntries({ release, onProgress }: OverlayContext): Promise<CpioEntry[]> {
	const source = new URL("../guests/src/index.ts", import.meta.url).href;
	const module = await importIfPresent<GuestBuild>(source, "buildGuestImages");
	if (!module) return [];
	const { files } = await module.buildGuestImages({ release, onProgress });
	return Object.entries(files).map(([path, file]) => fileEntry(path, file));
}

/** Parts of the project that do not exist yet are left out; parts that fail to load are errors. */
async function importIfPresent<T extends object>(specifier: string, name: keyof T & string): Promise<T | undefined> {
	try {
		const module = (await import(specifier)) as T;
		return name in module ? module : undefined;
	} catch (error) {
		const missing = error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND";
		// The message of a missing import *inside* the module names the importing file.
		if (missing && !/imported from .*\/(hypervisor|stubdom|guests)\/src\//.test(error.message)) return undefined;
		throw error;
	}
}

function fileEntry(path: string, file: string, mode = 0o644): CpioEntry {
	return { type: "file", path, mode, content: { file } };
}

/** sha256 of what each entry installs, by its path: tells what a running dom0 lacks. */
export async function digestEntries(entries: readonly CpioEntry[]): Promise<Record<string, string>> {
	const digests: Record<string, string> = {};
	for (const entry of entries) {
		if (entry.type === "directory") continue;
		if (entry.type === "file" && typeof entry.content === "object" && "file" in entry.content) {
			digests[entry.path] = await hashFile(entry.content.file);
		} else {
			const content = entry.type === "file" ? (entry.content as string | Uint8Array) : JSON.stringify(entry);
			digests[entry.path] = createHash("sha256").update(content).digest("hex");
		}
	}
	return digests;
}
