import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ContentCache, hashTree, runProgram } from "@bulkhead/image";

const SOURCE_DIR = fileURLToPath(new URL("../init", import.meta.url));
const COMPILE_TIMEOUT_MS = 120_000;
const FLAGS = ["-std=gnu17", "-Wall", "-Wextra", "-Werror", "-Os", "-static", "-s", "-ffunction-sections"] as const;
const LINK_FLAGS = ["-Wl,--gc-sections", "-Wl,--build-id=none"] as const;

/** Compiles init with the machine's C compiler. @returns the static program's path in the cache */
export async function compileInit(cache: ContentCache, qemuPath: string): Promise<string> {
	const sources = (await readdir(SOURCE_DIR)).filter((name) => name.endsWith(".c")).sort();
	const compiler = await runProgram(["gcc", "-v"], { timeoutMs: COMPILE_TIMEOUT_MS });
	const flags = [...FLAGS, `-DQEMU_PATH="${qemuPath}"`, ...LINK_FLAGS];
	const inputs = {
		format: 1,
		sources: await hashTree([SOURCE_DIR]),
		compiler: compiler.stderr,
		flags: flags.join(" "),
	};
	const dir = await cache.cached("stub-init", inputs, async (out) => {
		// In its own folder and by relative names: no path of the machine reaches the program.
		const program = join(out, "init");
		await runProgram(["gcc", ...flags, "-o", program, ...sources], { cwd: SOURCE_DIR, timeoutMs: COMPILE_TIMEOUT_MS });
	});
	return join(dir, "init");
}
