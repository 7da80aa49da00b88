import { access } from "node:fs/promises";
import { join } from "node:path";
import type { CpioEntry } from "@bulkhead/image";
import { findPageFiles } from "@bulkhead/web";
import { rolldown } from "rolldown";
import { compiledCode } from "./cached-program/compiled-code.ts";

export const REPOSITORY: string = join(import.meta.dirname, "../..");

export interface Program {
	/** Entry point in the repository. */
	entry: string;
	/** Its place in dom0. */
	path: string;
	/** The service that runs it, if one does. */
	service?: string;
	/** The command that starts it, if there is one. */
	command?: {
		path: string;
		/** Arguments that reach the code which every use needs, without doing anything: its compiled form is installed. */
		trial: readonly string[];
	};
}

/** The programs of this project that dom0 gets, as far as they exist. */
const PROGRAMS: readonly Program[] = [
	{ entry: "packages/xenmgr/src/main.ts", path: "/usr/lib/bulkhead/bulkheadd.mjs", service: "bulkheadd" },
	{ entry: "packages/relay/src/main.ts", path: "/usr/lib/bulkhead/bulkhead-relay.mjs", service: "bulkhead-relay" },
	{ entry: "packages/relay/src/proxy/main.ts", path: "/usr/lib/bulkhead/vchan-socket-proxy.mjs" },
	{
		entry: "packages/cli/src/main.ts",
		path: "/usr/lib/bulkhead/bulkhead.cjs",
		command: { path: "/usr/bin/bulkhead", trial: ["--socket", "/nonexistent/bulkheadd.sock", "list"] },
	},
];

/** The programs whose entry point exists. */
export async function existingPrograms(): Promise<Program[]> {
	const found = await Promise.all(PROGRAMS.map(({ entry }) => exists(join(REPOSITORY, entry))));
	return PROGRAMS.filter((_, at) => found[at]);
}

/** A program as one file, with the service or the command that starts it. */
export async function programEntries(program: Program): Promise<CpioEntry[]> {
	const entry = join(REPOSITORY, program.entry);
	const entries: CpioEntry[] = program.command
		? await commandEntries(await bundleProgram(entry, "cjs"), program.path, program.command)
		: [{ type: "file", path: program.path, content: await bundleProgram(entry) }];
	if (program.service) {
		const run = join(REPOSITORY, "lab/dom0-services", program.service, "run");
		entries.push({ type: "file", path: `/etc/service/${program.service}/run`, mode: 0o755, content: { file: run } });
	}
	return entries;
}

/** A command is started again and again, and Node's compiling is half of its time in dom0: it comes with compiled code. */
async function commandEntries(
	source: string,
	path: string,
	{ path: command, trial }: NonNullable<Program["command"]>,
): Promise<CpioEntry[]> {
	const [run, writer] = await Promise.all(
		["run.ts", "write-cache.ts"].map((name) => bundleProgram(join(import.meta.dirname, "cached-program", name), "cjs")),
	);
	return [
		{ type: "file", path, content: run ?? "" },
		{ type: "file", path: `${path}.source`, content: source },
		{ type: "file", path: `${path}.cache`, content: { file: await compiledCode(source, writer ?? "", trial) } },
		{ type: "file", path: command, mode: 0o755, content: `#!/bin/sh\nexec node ${path} "$@"\n` },
	];
}

/** The page that the daemon serves to browsers, noVNC's files unmodified among it: as they are, beside the daemon. */
export async function pageEntries(): Promise<CpioEntry[]> {
	const files = await findPageFiles();
	return [...files].map(([name, { path }]) => ({
		type: "file",
		path: `/usr/lib/bulkhead/screen/${name}`,
		content: { file: path },
	}));
}

/** One file for Node from sources; native addons stay outside. */
export async function bundleProgram(entry: string, format: "esm" | "cjs" = "esm"): Promise<string> {
	const bundle = await rolldown({
		cwd: REPOSITORY,
		input: entry,
		platform: "node",
		resolve: { conditionNames: ["bulkhead-source", "node", "import", "module", "default"] },
		external: [/\.node$/],
		logLevel: "warn",
	});
	try {
		const { output } = await bundle.generate({
			format,
			codeSplitting: false,
			// CommonJS dependencies inside an ESM bundle ask for these.
			...(format === "esm" && {
				banner:
					'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
			}),
		});
		return output[0].code;
	} finally {
		await bundle.close();
	}
}

async function exists(path: string): Promise<boolean> {
	return access(path).then(
		() => true,
		() => false,
	);
}
