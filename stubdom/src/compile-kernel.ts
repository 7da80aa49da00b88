import { readFile, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { BulkheadError, CancelledError } from "@bulkhead/base";
import { ProgramFailedError, type RunOptions, type RunResult, runProgram } from "@bulkhead/image";
import { unmetRequests } from "./kernel-fragment.ts";

export interface CompileKernelOptions {
	/** The configuration's text in Kconfig's syntax; everything that it does not name is off. */
	fragment: string;
	onProgress?: (line: string) => void;
	signal?: AbortSignal;
}

/** Lines of a fragment that the kernel does not offer together with the others. `fields`: unmet. */
export class KernelConfigError extends BulkheadError {}

/** The kernel's own build failed. `fields`: log (the end of what it wrote to standard error). */
export class KernelBuildError extends BulkheadError {}

const CONFIGURE_TIMEOUT_MS = 5 * 60_000;
const COMPILE_TIMEOUT_MS = 60 * 60_000;
const PROGRESS_MS = 15_000;
const LOG_LINES = 12;

/** Whatever tells one build from the next: with these the same sources and compiler give the same bytes. */
const REPRODUCIBLE = {
	KBUILD_BUILD_TIMESTAMP: "Thu Jan  1 00:00:00 UTC 1970",
	KBUILD_BUILD_USER: "bulkhead",
	KBUILD_BUILD_HOST: "bulkhead",
	KBUILD_BUILD_VERSION: "1",
	LC_ALL: "C",
	TZ: "UTC",
} as const;

/**
 * Configures and compiles `vmlinux` in an unpacked source tree.
 * @throws KernelConfigError, KernelBuildError, CancelledError, DeadlineError
 */
export async function compileKernel(sourceDir: string, options: CompileKernelOptions): Promise<void> {
	const { fragment, onProgress = () => {}, signal } = options;
	await writeFile(join(sourceDir, "bulkhead.config"), fragment);
	const configure = ["KCONFIG_ALLCONFIG=bulkhead.config", "allnoconfig"];
	await make(sourceDir, configure, { timeoutMs: CONFIGURE_TIMEOUT_MS, signal });
	const unmet = unmetRequests(fragment, await readFile(join(sourceDir, ".config"), "utf8"));
	if (unmet.length > 0)
		throw new KernelConfigError("kernel-config-unmet", `The kernel's configuration drops ${unmet.join(", ")}`, {
			remedy: "Correct stubdom/kernel/fragment.config: name what these depend on, or leave them out",
			fields: { unmet },
		});
	const progress = countCompiled(onProgress);
	await make(sourceDir, [`-j${availableParallelism() + 1}`, "vmlinux"], {
		timeoutMs: COMPILE_TIMEOUT_MS,
		signal,
		onStdout: progress,
	});
}

async function make(sourceDir: string, args: readonly string[], options: RunOptions): Promise<RunResult> {
	// If this process is killed, make hears of it, stops its compilers and removes what they left half done.
	const argv = ["setpriv", "--pdeathsig", "TERM", "make", "ARCH=x86", ...args] as const;
	// Nothing of the caller's environment (CFLAGS, MAKEFLAGS, KCFLAGS …) gets a say.
	const env = { PATH: process.env.PATH, ...REPRODUCIBLE };
	try {
		return await runProgram(argv, { ...options, cwd: sourceDir, env, group: true });
	} catch (cause) {
		if (cause instanceof CancelledError)
			throw new CancelledError("Stopped building the stub domain's kernel", { cause: cause.cause });
		if (!(cause instanceof ProgramFailedError) || cause.code !== "program-failed") throw cause;
		const { stderr } = cause.fields;
		const log = typeof stderr === "string" ? stderr : "";
		const last = log.trim().split("\n").slice(-LOG_LINES).join("\n");
		throw new KernelBuildError("kernel-build-failed", `The stub domain's kernel did not build:\n${last}`, {
			cause,
			remedy: "Run tools/setup, which installs what the build needs; if that is all there, look at the lines above",
			fields: { log },
		});
	}
}

/** Takes make's output and says at times how far it is. */
function countCompiled(onProgress: (line: string) => void): (chunk: Buffer) => void {
	const began = performance.now();
	let said = began;
	let files = 0;
	return (chunk) => {
		files += chunk.toString("latin1").match(/^ {2}(CC|AS|HOSTCC) /gm)?.length ?? 0;
		const now = performance.now();
		if (now - said < PROGRESS_MS) return;
		said = now;
		onProgress(`compiling the stub domain's kernel: ${files} files in ${Math.round((now - began) / 1000)} s`);
	};
}
