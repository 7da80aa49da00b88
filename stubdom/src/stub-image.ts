import { copyFile, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
	ContentCache,
	type CpioEntry,
	extractVmlinux,
	hashFile,
	machineRelease,
	writeCpioArchive,
} from "@bulkhead/image";
import { compileInit } from "./compile-init.ts";
import { deviceModelEntries, QEMU_PATH } from "./device-model-files.ts";
import { type KernelModule, planModules } from "./kernel-modules.ts";
import { fetchStubPackages, type StubKernel, type StubKernelKind, type StubPackages } from "./stub-packages.ts";

export interface StubImageOptions {
	/** Debian release, e.g. `bookworm`; the machine's own unless told. */
	release?: string;
	/** `minimal` unless told; it is built from source once, which takes minutes. */
	kernel?: StubKernelKind;
	cache?: ContentCache;
	onProgress?: (line: string) => void;
	signal?: AbortSignal;
}

export interface StubImageFile {
	sizeBytes: number;
	sha256: string;
}

export interface StubImageManifest {
	release: string;
	kernelVersion: string;
	/** Debian version of qemu-system-xen. */
	qemuVersion: string;
	/** Modules in the image, in the order in which init loads them; the last ones only for a guest with a nic. None with a minimal kernel. */
	modules: string[];
	packages: { name: string; version: string }[];
	kernel: StubImageFile;
	ramdisk: StubImageFile;
}

export interface StubImage {
	/** Uncompressed ELF kernel: Xen loads it many times faster than a bzImage. */
	kernel: string;
	/** Uncompressed newc archive. */
	ramdisk: string;
	/** The bzImage that `kernel` was taken from, if it is Debian's. */
	vmlinuz: string | undefined;
	manifest: StubImageManifest;
}

/** Raise when the image's layout changes, so that caches rebuild. */
const FORMAT = 4;

/** Loaded by init in this order. The block front end goes first: it connects while the others load. */
const CORE_MODULES = ["xen-blkfront", "xen-evtchn", "xen-gntalloc", "xen-gntdev", "xen-privcmd", "xenfs"] as const;

/** Loaded only for a guest that has an emulated nic. */
const NETWORK_MODULES = ["xen-netfront", "tun", "bridge"] as const;

/** Recent kernels restrict privcmd in a domU to calls on its own behalf, unless this says otherwise. */
const MODULE_PARAMETERS: Readonly<Record<string, string>> = { xen_privcmd: "unrestricted=1" };

/**
 * The stub domain's kernel and ramdisk, from the cache or built. The same packages, sources and compiler give the same
 * bytes anywhere.
 */
export async function buildStubImage(options: StubImageOptions = {}): Promise<StubImage> {
	const { release = await machineRelease(), cache = new ContentCache(), onProgress = () => {}, signal } = options;
	const kind = options.kernel ?? "minimal";
	const packages = await fetchStubPackages({ release, kernel: kind, cache, onProgress, signal });
	const { kernel } = packages;
	const init = await compileInit(cache, QEMU_PATH);
	const inputs = {
		format: FORMAT,
		release,
		init: await hashFile(init),
		// A minimal kernel's bytes also follow from its configuration and its compiler.
		kernel: kernel.kind === "minimal" ? await hashFile(kernel.vmlinuxPath) : kernel.version,
		packages: packages.packages.map(({ name, version }) => `${name}=${version}`).join(" "),
	};
	const dir = await cache.cached("stub-image", inputs, async (out) => {
		onProgress(`building the stub domain's image: Linux ${kernel.version}`);
		await writeStubImage(out, release, packages, init, cache);
	});
	return {
		kernel: join(dir, "vmlinux"),
		ramdisk: join(dir, "rootfs.cpio"),
		vmlinuz: kernel.kind === "debian" ? kernel.vmlinuzPath : undefined,
		manifest: JSON.parse(await readFile(join(dir, "manifest.json"), "utf8")) as StubImageManifest,
	};
}

/** Writes vmlinux, rootfs.cpio and manifest.json into a folder. */
export async function writeStubImage(
	out: string,
	release: string,
	packages: StubPackages,
	init: string,
	cache: ContentCache,
): Promise<void> {
	const kernel = join(out, "vmlinux");
	const ramdisk = join(out, "rootfs.cpio");
	await writeKernel(packages.kernel, kernel);
	const core = await modulesOf(packages.kernel, CORE_MODULES);
	const network = await modulesOf(packages.kernel, NETWORK_MODULES);
	const entries = [
		...systemEntries(init, packages),
		...moduleEntries("etc/modules", core),
		...moduleEntries("etc/modules.network", network),
		...(await deviceModelEntries(packages.deviceModelTree, cache)),
	];
	await writeCpioArchive(entries, ramdisk);
	const manifest: StubImageManifest = {
		release,
		kernelVersion: packages.kernel.version,
		qemuVersion: packages.packages.find(({ name }) => name === "qemu-system-xen")?.version ?? "",
		modules: [...core, ...network].map(({ name }) => name),
		packages: packages.packages.map(({ name, version }) => ({ name, version })),
		kernel: await describe(kernel),
		ramdisk: await describe(ramdisk),
	};
	await writeFile(join(out, "manifest.json"), `${JSON.stringify(manifest, undefined, "\t")}\n`);
}

function writeKernel(kernel: StubKernel, out: string): Promise<void> {
	return kernel.kind === "minimal" ? copyFile(kernel.vmlinuxPath, out) : extractVmlinux(kernel.vmlinuzPath, out);
}

/** A minimal kernel has everything built in. */
async function modulesOf(kernel: StubKernel, wanted: readonly string[]): Promise<KernelModule[]> {
	return kernel.kind === "minimal" ? [] : planModules(kernel.modulesDir, wanted);
}

function systemEntries(init: string, { packages }: StubPackages): CpioEntry[] {
	const list = packages.map(({ name, version }) => `${name} ${version}\n`).join("");
	return [
		{ type: "file", path: "init", mode: 0o755, content: { file: init } },
		// What the kernel runs when control/shutdown asks for it.
		{ type: "symlink", path: "usr/sbin/poweroff", target: "/init" },
		{ type: "symlink", path: "usr/sbin/reboot", target: "/init" },
		...["dev", "proc", "run", "sys", "tmp"].map((path): CpioEntry => ({ type: "directory", path })),
		// The kernel opens it for init before init can mount anything.
		{ type: "character-device", path: "dev/console", mode: 0o600, major: 5, minor: 1 },
		{
			type: "file",
			path: "usr/share/doc/bulkhead/packages",
			content: `Debian packages whose files are in this image; their licences are in their sources' debian/copyright.\n${list}`,
		},
	];
}

/** The modules and the list that init loads them from; nothing when there are none, which init takes as it is. */
function moduleEntries(list: string, modules: readonly KernelModule[]): CpioEntry[] {
	if (modules.length === 0) return [];
	const lines = modules.map(({ name }) => `/lib/modules/${name}.ko ${MODULE_PARAMETERS[name] ?? ""}`.trimEnd());
	return [
		{ type: "file", path: list, content: `${lines.join("\n")}\n` },
		...modules.map(({ name, content }): CpioEntry => ({ type: "file", path: `usr/lib/modules/${name}.ko`, content })),
	];
}

async function describe(path: string): Promise<StubImageFile> {
	return { sizeBytes: (await stat(path)).size, sha256: await hashFile(path) };
}
