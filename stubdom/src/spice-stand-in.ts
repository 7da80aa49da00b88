import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type ContentCache, runProgram } from "@bulkhead/image";

/** A function that a program takes from the Spice library, with the version it was linked against. */
export interface ImportedFunction {
	name: string;
	version: string;
}

const LIBRARY_PATH = "usr/lib/x86_64-linux-gnu/libspice-server.so.1";
const TOOL_TIMEOUT_MS = 60_000;
const FLAGS = [
	"-shared",
	"-nostdlib",
	"-fPIC",
	"-Os",
	"-s",
	"-fno-stack-protector",
	"-fno-asynchronous-unwind-tables",
] as const;

/** Without a libc: one write and the end of the process, by the kernel's own interface. */
const REFUSE = `
static const char text[] = "Spice was asked for, which this stub domain does not have\\n";
static long call(long number, long a, long b, long c) {
	__asm__ volatile("syscall" : "+a"(number) : "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return number;
}
static void refuse(void) {
	call(1, 2, (long)text, sizeof text - 1);
	for (;;) call(231, 1, 0, 0);
}
`;

/**
 * A tree that holds a stand-in for libspice-server: Debian's QEMU is linked against it, a stub domain has no Spice,
 * and with its own libraries (GStreamer, OpenSSL, …) it is half of all the libraries' bytes and start-up work.
 * Each function that QEMU imports is there and ends the program with a message.
 * @returns the tree, or undefined when the program does not use Spice
 */
export async function buildSpiceStandIn(program: string, cache: ContentCache): Promise<string | undefined> {
	const symbols = await runProgram(["readelf", "--dyn-syms", "--wide", program], { timeoutMs: TOOL_TIMEOUT_MS });
	const functions = spiceImports(symbols.stdout.toString("latin1"));
	if (functions.length === 0) return undefined;
	const source = standInSource(functions);
	const versions = versionScript(functions);
	const compiler = await runProgram(["gcc", "-v"], { timeoutMs: TOOL_TIMEOUT_MS });
	const inputs = { format: 1, source, versions, compiler: compiler.stderr, flags: FLAGS.join(" ") };
	return cache.cached("spice-stand-in", inputs, async (dir) => {
		const library = join(dir, LIBRARY_PATH);
		await mkdir(dirname(library), { recursive: true });
		await writeFile(join(dir, "spice.c"), source);
		await writeFile(join(dir, "spice.map"), versions);
		const link = ["-Wl,-soname,libspice-server.so.1", "-Wl,--version-script=spice.map", "-Wl,--build-id=none"];
		await runProgram(["gcc", ...FLAGS, ...link, "-o", library, "spice.c"], { cwd: dir, timeoutMs: TOOL_TIMEOUT_MS });
	});
}

/** Undefined symbols `spice_…@VERSION` in readelf's table of dynamic symbols, sorted. */
export function spiceImports(readelfOutput: string): ImportedFunction[] {
	const found = readelfOutput.matchAll(/ UND (spice_\w+)@(\w[\w.]*)/g);
	return [...found]
		.map(([, name = "", version = ""]) => ({ name, version }))
		.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function standInSource(functions: readonly ImportedFunction[]): string {
	return `${REFUSE}${functions.map(({ name }) => `void ${name}(void) { refuse(); }\n`).join("")}`;
}

function versionScript(functions: readonly ImportedFunction[]): string {
	const versions = [...new Set(functions.map(({ version }) => version))].sort();
	const namesOf = (version: string): string =>
		functions
			.filter((each) => each.version === version)
			.map(({ name }) => `${name};`)
			.join(" ");
	return versions
		.map((version) => `${version} { global: ${namesOf(version)} };\n`)
		.join("")
		.concat("NONE { local: *; };\n");
}
