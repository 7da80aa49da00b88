import { copyFile, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { BulkheadError } from "@bulkhead/base";
import { type CpioEntry, entriesFromTree, runProgram } from "@bulkhead/image";

/** Loaded at boot, in this order; names as modprobe takes them. */
export const DOM0_MODULES = [
	"xen-evtchn",
	"xen-gntdev",
	"xen-gntalloc",
	"xen-privcmd",
	"xenfs",
	"xen-blkback",
	"xen-netback",
	"xen-pciback",
	"loop",
	"nbd",
	"tun",
	"bridge",
	"e1000",
	"virtio_pci",
	"virtio_net",
] as const;

const DEPMOD_TIMEOUT_MS = 120_000;

/**
 * The wanted modules with all they depend on, uncompressed, and modprobe's index for them.
 * @param workDir an empty folder that the entries refer to afterwards
 */
export async function kernelModuleEntries(
	kernelTree: string,
	kernelRelease: string,
	wanted: readonly string[],
	workDir: string,
): Promise<CpioEntry[]> {
	const base = join("usr/lib/modules", kernelRelease);
	const index = await runProgram(["depmod", "-n", "-b", kernelTree, kernelRelease], { timeoutMs: DEPMOD_TIMEOUT_MS });
	const dependencies = parseModulesDep(index.stdout.toString("utf8"));
	// What one release has as a module may be built into the next one's kernel.
	const builtIn = await readFile(join(kernelTree, base, "modules.builtin"), "utf8");
	const files = closeOverDependencies(dependencies, builtIn.trim().split("\n"), wanted);
	// depmod looks below /lib, as it was before /usr was merged.
	await mkdir(join(workDir, "usr/lib"), { recursive: true });
	await symlink("usr/lib", join(workDir, "lib"));
	for (const file of files) {
		const source = join(kernelTree, base, file);
		const target = join(workDir, base, file.replace(/\.xz$/, ""));
		await mkdir(dirname(target), { recursive: true });
		if (file.endsWith(".xz")) {
			const { stdout } = await runProgram(["xz", "--decompress", "--stdout", source], { timeoutMs: DEPMOD_TIMEOUT_MS });
			await writeFile(target, stdout);
		} else await copyFile(source, target);
	}
	for (const name of ["modules.order", "modules.builtin", "modules.builtin.modinfo"]) {
		await copyFile(join(kernelTree, base, name), join(workDir, base, name));
	}
	await runProgram(["depmod", "-b", workDir, kernelRelease], { timeoutMs: DEPMOD_TIMEOUT_MS });
	return entriesFromTree(workDir, `/${base}`);
}

/** Lines `kernel/fs/xenfs.ko: kernel/other.ko …` at the start of what `depmod -n` prints. */
export function parseModulesDep(text: string): Map<string, string[]> {
	const found = new Map<string, string[]>();
	for (const line of text.split("\n")) {
		const match = line.match(/^(\S+\.ko(?:\.xz)?):\s*(.*)$/);
		if (match?.[1] !== undefined) found.set(match[1], (match[2] ?? "").split(" ").filter(Boolean));
	}
	return found;
}

/** @throws BulkheadError `module-not-found` when a name is neither a module nor built in */
export function closeOverDependencies(
	dependencies: ReadonlyMap<string, readonly string[]>,
	builtIn: readonly string[],
	wanted: readonly string[],
): string[] {
	const byName = new Map([...dependencies.keys()].map((file) => [moduleName(file), file]));
	const inKernel = new Set(builtIn.map(moduleName));
	const chosen = new Set<string>();
	for (const name of wanted.map(moduleName)) {
		const file = byName.get(name);
		// depmod lists full dependency chains, so one step is enough.
		if (file) for (const each of [file, ...(dependencies.get(file) ?? [])]) chosen.add(each);
		else if (!inKernel.has(name)) {
			throw new BulkheadError("module-not-found", `The kernel package has no module ${name}`, { fields: { name } });
		}
	}
	return [...chosen].sort();
}

/** The kernel takes - and _ in module names for the same. */
function moduleName(file: string): string {
	return basename(file)
		.replace(/\.ko(\.xz)?$/, "")
		.replaceAll("-", "_");
}
