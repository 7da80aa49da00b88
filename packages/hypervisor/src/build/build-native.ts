import { spawn } from "node:child_process";
import { constants, existsSync } from "node:fs";
import { access, mkdir, mkdtemp, realpath, rename, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { BulkheadError } from "@bulkhead/base";
import { Slots } from "../native/slots.ts";
import { buildStamp, hasStamp, writeStamp } from "./build-stamp.ts";
import { type CompilerCall, type NativeBuildPlaces, planNativeBuild } from "./plan-native-build.ts";

export interface BuildNativeOptions {
	/** An unpacked Debian tree with libxen-dev and Xen's libraries; the machine's own when absent. */
	sysroot?: string;
	outDir: string;
	/** One line for each step. */
	onProgress?: (line: string) => void;
	signal?: AbortSignal;
}

const MAX_PARALLEL = 2;
const COMPILER_TIMEOUT_MS = 300_000;

/**
 * Compiles both addons with the machine's g++ ($CXX) into outDir; each appears whole or not at all. Nothing is compiled
 * when outDir already holds the same.
 * @throws BulkheadError `native-build-failed` with the compiler's words
 */
export async function buildNative(options: BuildNativeOptions): Promise<{ files: string[] }> {
	const { sysroot, outDir, onProgress, signal } = options;
	const compiler = process.env.CXX || "g++";
	await mkdir(outDir, { recursive: true });
	// Beside the result, so that the rename at the end stays within one file system.
	const workDir = await mkdtemp(join(outDir, ".build-"));
	try {
		const places: NativeBuildPlaces = {
			sourceDir: fileURLToPath(new URL("../../native/", import.meta.url)),
			objectDir: workDir,
			outDir: workDir,
			nodeHeaders: await findNodeHeaders(),
			addonApiHeaders: dirname(createRequire(import.meta.url).resolve("node-addon-api/package.json")),
			sysroot,
			multiarch: (await runCompiler(compiler, ["-print-multiarch"], signal)).trim() || "x86_64-linux-gnu",
		};
		const plan = planNativeBuild(places);
		const files = plan.link.map(({ output }) => join(outDir, basename(output)));
		const stamp = await buildStamp(places, plan, await runCompiler(compiler, ["--version"], signal));
		if (files.every((file) => existsSync(file)) && (await hasStamp(outDir, stamp))) return { files };
		await compileAll(compiler, plan.compile, onProgress, signal);
		for (const [index, { args, output }] of plan.link.entries()) {
			await runCompiler(compiler, args, signal);
			await rename(output, files[index] as string);
			onProgress?.(`linked ${basename(output)}`);
		}
		await writeStamp(outDir, stamp);
		return { files };
	} finally {
		await rm(workDir, { recursive: true, force: true });
	}
}

/** After a first failure nothing more is begun. */
async function compileAll(
	compiler: string,
	calls: readonly CompilerCall[],
	onProgress: BuildNativeOptions["onProgress"],
	signal: AbortSignal | undefined,
): Promise<void> {
	const slots = new Slots(Math.min(MAX_PARALLEL, availableParallelism()));
	let done = 0;
	let failed = false;
	const compile = async ({ args, output }: CompilerCall): Promise<void> => {
		if (failed) return;
		try {
			await runCompiler(compiler, args, signal);
		} catch (error) {
			failed = true;
			throw error;
		}
		onProgress?.(`compiled ${basename(output)} (${++done} of ${calls.length})`);
	};
	const results = await Promise.allSettled(calls.map((call) => slots.run(() => compile(call))));
	for (const result of results) if (result.status === "rejected") throw result.reason;
}

/** Beside the executable's prefix, where both Debian's and the upstream packages put them. */
async function findNodeHeaders(): Promise<string> {
	const folder = join(dirname(dirname(await realpath(process.execPath))), "include/node");
	try {
		await access(join(folder, "node_api.h"), constants.R_OK);
	} catch (cause) {
		throw new BulkheadError("native-build-failed", `Node's headers are not in ${folder}`, {
			remedy: "Install the headers of this Node beside it (on Debian: libnode-dev)",
			cause,
		});
	}
	return folder;
}

function runCompiler(compiler: string, args: readonly string[], signal: AbortSignal | undefined): Promise<string> {
	const limit = AbortSignal.timeout(COMPILER_TIMEOUT_MS);
	const child = spawn(compiler, args, {
		stdio: ["ignore", "pipe", "pipe"],
		signal: signal ? AbortSignal.any([signal, limit]) : limit,
	});
	return new Promise((resolve, reject) => {
		let stdout = "";
		let stderr = "";
		child.stdout.on("data", (chunk) => {
			stdout += chunk;
		});
		child.stderr.on("data", (chunk) => {
			stderr += chunk;
		});
		child.on("error", (cause) => {
			reject(
				new BulkheadError("native-build-failed", `Could not run the compiler ${compiler}`, {
					remedy: "Install g++, or name a C++ compiler by CXX",
					cause,
				}),
			);
		});
		child.on("close", (status) => {
			if (status === 0) return resolve(stdout);
			reject(
				new BulkheadError("native-build-failed", `The compiler refused ${args.at(-1)}`, {
					fields: { status, output: stderr.slice(0, 8000) },
					remedy: "Install libxen-dev of the Xen that runs, or name a sysroot that has it",
					cause: new Error(stderr.slice(0, 2000)),
				}),
			);
		});
	});
}
