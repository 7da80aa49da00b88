import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { BulkheadError } from "@bulkhead/base";
import { runProgram } from "@bulkhead/image";

/** A module file, after everything it depends on. */
export interface KernelModule {
	/** With underscores, as the kernel names it. */
	name: string;
	/** The unpacked object's bytes. */
	content: Buffer;
}

/** A wanted module is neither a file of the kernel's package nor built in. `fields`: module. */
export class ModuleNotFoundError extends BulkheadError {}

const UNPACK_TIMEOUT_MS = 60_000;

/**
 * The module files to load for these modules, dependencies first, each once, in the order asked for. What is built
 * into the kernel is left out.
 * @param modulesDir `lib/modules/<version>` of an unpacked kernel package
 * @throws ModuleNotFoundError
 */
export async function planModules(modulesDir: string, wanted: readonly string[]): Promise<KernelModule[]> {
	const files = await findModuleFiles(modulesDir);
	const builtIn = new Set(
		(await readFile(join(modulesDir, "modules.builtin"), "utf8")).split("\n").filter(Boolean).map(moduleName),
	);
	const planned = new Map<string, KernelModule | undefined>();
	const visit = async (asked: string): Promise<void> => {
		const name = asked.replaceAll("-", "_");
		if (planned.has(name) || builtIn.has(name)) return;
		const file = files.get(name);
		if (!file)
			throw new ModuleNotFoundError("module-not-found", `The kernel has no module ${name}`, {
				fields: { module: name },
			});
		const content = await readModule(file);
		// Reserved before its dependencies are visited, so that a cycle ends.
		planned.set(name, undefined);
		for (const dependency of dependenciesOf(content)) await visit(dependency);
		planned.delete(name);
		planned.set(name, { name, content });
	};
	for (const name of wanted) await visit(name);
	return [...planned.values()].filter((module) => module !== undefined);
}

/** The `depends=` entry of the .modinfo section: names separated by commas. */
export function dependenciesOf(module: Buffer): string[] {
	const key = Buffer.from("\0depends=");
	const at = module.indexOf(key);
	if (at < 0) return [];
	const start = at + key.length;
	const names = module.toString("latin1", start, module.indexOf(0, start));
	return names.split(",").filter((name) => /^[\w-]+$/.test(name));
}

/** Without the signature at its end: it costs a check at load time, and who can change the image can sign nothing away. */
export function withoutSignature(module: Buffer): Buffer {
	// include/linux/module_signature.h: sig_len is the big-endian last word of 12 bytes, before this text.
	const magic = Buffer.from("~Module signature appended~\n");
	const end = module.length - magic.length;
	if (end < 12 || !module.subarray(end).equals(magic)) return module;
	const signatureBytes = module.readUInt32BE(end - 4);
	const kept = end - 12 - signatureBytes;
	return kept > 0 ? module.subarray(0, kept) : module;
}

async function readModule(file: string): Promise<Buffer> {
	const packed = await readFile(file);
	if (!file.endsWith(".xz")) return withoutSignature(packed);
	const { stdout } = await runProgram(["xz", "--decompress", "--stdout"], {
		stdin: packed,
		timeoutMs: UNPACK_TIMEOUT_MS,
	});
	return withoutSignature(stdout);
}

async function findModuleFiles(modulesDir: string): Promise<Map<string, string>> {
	const entries = await readdir(modulesDir, { recursive: true, withFileTypes: true });
	const files = entries.filter((entry) => entry.isFile() && /\.ko(\.xz)?$/.test(entry.name));
	return new Map(files.map((entry) => [moduleName(entry.name), join(entry.parentPath, entry.name)]));
}

function moduleName(file: string): string {
	return basename(file)
		.replace(/\.ko(\.xz)?$/, "")
		.replaceAll("-", "_");
}
